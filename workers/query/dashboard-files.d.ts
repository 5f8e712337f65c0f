// The module that scripts/build-dashboard.ts writes. It does not exist before the first build.

declare module "*/.build/files.js" {
  /** Scripts and styles, with the path at which each is served. */
  export const FILES: readonly { readonly path: string; readonly type: string; readonly text: string }[];
  /** The files that a page loads, by language. */
  export const LANGUAGES: Readonly<
    Record<
      string,
      {
        readonly name: string;
        readonly script: string;
        readonly style: string;
        readonly direction: "ltr" | "rtl";
        readonly pages: Readonly<Record<string, readonly string[]>>;
      }
    >
  >;
}
