// The module that scripts/build-tracker.ts writes. It does not exist before the first build.

declare module "*/.build/scripts.js" {
  /** The current scripts, followed by those of earlier versions. */
  export const SCRIPTS: readonly { readonly name: string; readonly file: string; readonly text: string }[];
}
