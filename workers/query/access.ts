// Sign-in by Cloudflare Access. The edge lets only those through who have signed in with the team's identity provider,
// and sends a signed JWT along. The JWT is verified with the team's public keys and for this application. Only the
// e-mail address and the groups are taken from it. The deployment's settings choose who signs in like this. With
// ACCESS_TEAM members have no passwords. With OPERATOR_ACCESS_TEAM operators need no token (principal.ts). Members and
// operators have an application each in Access, so that a JWT for one is of no use for the other.

import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { parseEmail } from "../../storage/directory/members.ts";

export interface AccessEnv {
  /** The team's address, such as "https://team.cloudflareaccess.com". */
  readonly ACCESS_TEAM?: string;
  /** The application's audience tag. */
  readonly ACCESS_AUDIENCE?: string;
  /** The team of operators. Their application is another one, with an audience of its own. */
  readonly OPERATOR_ACCESS_TEAM?: string;
  readonly OPERATOR_ACCESS_AUDIENCE?: string;
}

/** The person who has signed in, according to Access. */
export interface Vouched {
  readonly email: string;
  /** The person's groups at the identity provider, if the team passes them on. */
  readonly groups: readonly string[];
}

export interface Access {
  /** The person that a JWT names. Undefined when it is not valid. Throws when the keys cannot be read. */
  readonly read: (jwt: string) => Promise<Vouched | undefined>;
}

/** The header with the JWT. */
export const ACCESS_HEADER = "cf-access-jwt-assertion";

/** The keys of each team, kept by the isolate. They are read again when a JWT names a key that is not among them. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/** How members sign in. Undefined where they have passwords. */
export function accessOf({ ACCESS_TEAM = "", ACCESS_AUDIENCE = "" }: AccessEnv): Access | undefined {
  return applicationOf("ACCESS", ACCESS_TEAM, ACCESS_AUDIENCE);
}

/** How operators sign in without a token. Undefined where they cannot. */
export function operatorAccessOf(env: AccessEnv): Access | undefined {
  const { OPERATOR_ACCESS_TEAM: team = "", OPERATOR_ACCESS_AUDIENCE: audience = "" } = env;
  if (audience !== "" && audience === env.ACCESS_AUDIENCE)
    throw new Error(
      "OPERATOR_ACCESS_AUDIENCE and ACCESS_AUDIENCE are one application; operators need one of their own",
    );
  return applicationOf("OPERATOR_ACCESS", team, audience);
}

function applicationOf(name: string, team: string, audience: string): Access | undefined {
  if (team === "" && audience === "") return undefined;
  if (team === "" || audience === "") throw new Error(`${name}_TEAM and ${name}_AUDIENCE go together`);
  const issuer = team.replace(/\/+$/, "");
  const keySet = keySets.get(issuer) ?? createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`));
  keySets.set(issuer, keySet);
  const required = { issuer, audience, algorithms: ["RS256"], requiredClaims: ["exp", "email"] };
  return {
    read: async (jwt) => {
      try {
        const { payload } = await jwtVerify(jwt, keySet, required);
        const email = typeof payload["email"] === "string" ? parseEmail(payload["email"]) : undefined;
        return email === undefined ? undefined : { email, groups: groupsOf(payload) };
      } catch (error) {
        if (error instanceof errors.JOSEError && JWT_IS_WRONG.has(error.code)) return undefined;
        throw error;
      }
    },
  };
}

/** The claim "groups" of the identity provider. An application that passes it on puts it under "custom". */
function groupsOf(payload: Readonly<Record<string, unknown>>): readonly string[] {
  const { groups: own, custom } = payload;
  const passed = typeof custom === "object" && custom !== null && "groups" in custom ? custom.groups : undefined;
  return [own, passed]
    .flat()
    .filter((group): group is string => typeof group === "string")
    .slice(0, GROUPS_READ_MAX);
}

/** How many groups of one person are read. A JWT has room for some 8 KB. */
const GROUPS_READ_MAX = 500;

/**
 * The library's errors for a JWT that is not valid. Any other error is a mistake of ours, or a failure to get the
 * team's keys.
 */
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
