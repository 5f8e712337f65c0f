// Signing in by Cloudflare Access: the edge lets only those through who have signed in with the team's identity
// provider, and sends a signed JWT along. It is verified against the team's public keys, for this application,
// and nothing but the e-mail address is taken from it. Which mode a deployment has is its settings: with
// ACCESS_TEAM there are no passwords.

import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { parseEmail } from "../../storage/directory/members.ts";

export interface AccessEnv {
  /** Such as "https://team.cloudflareaccess.com". */
  readonly ACCESS_TEAM?: string;
  /** The application's audience tag. */
  readonly ACCESS_AUDIENCE?: string;
}

export interface Access {
  /** Who a JWT says is there; undefined when it is not valid. Throws when the keys cannot be read. */
  readonly emailOf: (jwt: string) => Promise<string | undefined>;
}

/** The header that carries the JWT. */
export const ACCESS_HEADER = "cf-access-jwt-assertion";

/** The keys of each team, kept with the isolate; read again when a JWT names one that is not among them. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

export function accessOf({ ACCESS_TEAM = "", ACCESS_AUDIENCE = "" }: AccessEnv): Access | undefined {
  if (ACCESS_TEAM === "" && ACCESS_AUDIENCE === "") return undefined;
  if (ACCESS_TEAM === "" || ACCESS_AUDIENCE === "") throw new Error("ACCESS_TEAM and ACCESS_AUDIENCE go together");
  const issuer = ACCESS_TEAM.replace(/\/+$/, "");
  const keySet = keySets.get(issuer) ?? createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`));
  keySets.set(issuer, keySet);
  const required = { issuer, audience: ACCESS_AUDIENCE, algorithms: ["RS256"], requiredClaims: ["exp", "email"] };
  return {
    emailOf: async (jwt) => {
      try {
        const { payload } = await jwtVerify(jwt, keySet, required);
        return typeof payload["email"] === "string" ? parseEmail(payload["email"]) : undefined;
      } catch (error) {
        if (error instanceof errors.JOSEError && JWT_IS_WRONG.has(error.code)) return undefined;
        throw error;
      }
    },
  };
}

/** What the library finds wrong with a JWT; anything else is wrong with us or with the team's keys. */
const JWT_IS_WRONG: ReadonlySet<string> = new Set([
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
]);
