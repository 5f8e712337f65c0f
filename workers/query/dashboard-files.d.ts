// The module that scripts/build-dashboard.ts writes; it is not there before the first build.

declare module "*/.build/files.js" {
  /** Scripts and styles by the path that they are served under. */
  export const FILES: readonly { readonly path: string; readonly type: string; readonly text: string }[];
  /** What a page of each language loads. */
  export const LANGUAGES: Readonly<
    Record<
      string,
      {
        readonly script: string;
        readonly style: string;
        readonly direction: "ltr" | "rtl";
        readonly pages: Readonly<Record<string, readonly string[]>>;
      }
    >
  >;
}
