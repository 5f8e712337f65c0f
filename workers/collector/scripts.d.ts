// The module that scripts/build-tracker.ts writes; it is not there before the first build.

declare module "*/.build/scripts.js" {
  /** Today's scripts first, then those of earlier versions. */
  export const SCRIPTS: readonly { readonly name: string; readonly file: string; readonly text: string }[];
}
