// Which version of itself a Worker is, as the platform tells it (wrangler.toml, `version_metadata`). A deployment asks
// for it at /health, so that it never takes the answers of the version before for those of the new one.

export interface VersionEnv {
  /** Missing where a Worker is not deployed. */
  readonly VERSION?: { readonly tag: string };
}

/** What /health says of a Worker that answers: with the tag that its version was deployed with, if any. */
export function healthOf({ VERSION }: VersionEnv): { readonly ok: true; readonly version?: string } {
  return VERSION === undefined || VERSION.tag === "" ? { ok: true } : { ok: true, version: VERSION.tag };
}
