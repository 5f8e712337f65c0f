// Members on the real runtime: the platform's scrypt, D1's own transactions, and keys of Cloudflare Access fetched by
// the Worker over the network.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { type Client, type Merchant, startServices } from "../support/services.ts";

const EMAIL = "anna@shop.example";
const PASSWORD = "correct horse battery";

async function inviteTo({ client, merchant }: { client: Client; merchant: Merchant }): Promise<string> {
  const path = `/api/v1/merchants/${merchant.id}/invites`;
  return ((await client.admin("POST", path, { email: EMAIL, role: "owner" })) as { token: string }).token;
}

function send(client: Client, method: string, path: string, headers: Record<string, string>, body?: object) {
  const init = { method, headers: { origin: client.queryUrl, ...headers } };
  return fetch(client.queryUrl + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
}

function ask(client: Client, merchant: Merchant, headers: Record<string, string>) {
  const question = { site_id: merchant.id, metrics: ["events"], date_range: "day" };
  return send(client, "POST", "/api/v2/query", headers, question);
}

test("[MEM-1] [MEM-2] invited, signed in by a password, asking, and signed out", async () => {
  const { client, stop } = await startServices();
  try {
    const merchant = await client.createMerchant();
    const token = await inviteTo({ client, merchant });
    const accepted = await send(client, "POST", "/api/v1/invites/accept", {}, { token, password: PASSWORD });
    expect([accepted.status, ((await accepted.json()) as { role: string }).role]).toEqual([201, "owner"]);
    const claim = { email: EMAIL };
    expect((await send(client, "POST", "/api/v1/session", {}, { ...claim, password: "wrong" })).status).toBe(401);
    const started = performance.now();
    const signed = await send(client, "POST", "/api/v1/session", {}, { ...claim, password: PASSWORD });
    console.log(`members: signing in took ${Math.round(performance.now() - started)} ms`);
    expect(signed.status).toBe(201);
    const cookie = signed.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect((await ask(client, merchant, { cookie })).status).toBe(200);
    const path = `/api/v1/merchants/${merchant.id}`;
    expect((await send(client, "PATCH", path, { cookie }, { name: "Mine" })).status).toBe(200);
    expect((await send(client, "PATCH", path, { cookie, origin: "https://evil.example" }, { name: "X" })).status).toBe(
      403,
    );
    const { members } = (await client.admin("GET", `${path}/members`)) as { members: { id: string }[] };
    const alone = await send(client, "DELETE", `${path}/members/${members[0]?.id}`, { cookie });
    expect(alone.status).toBe(409);
    expect((await send(client, "DELETE", "/api/v1/session", { cookie })).status).toBe(200);
    expect((await ask(client, merchant, { cookie })).status).toBe(401);
  } finally {
    await stop();
  }
});

test("[MEM-8] signed in by Cloudflare Access", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" }];
  let asked = 0;
  const team = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((settle) => team.listen(0, "127.0.0.1", settle));
  const ACCESS_TEAM = `http://127.0.0.1:${(team.address() as AddressInfo).port}`;
  const jwt = await new SignJWT({ email: EMAIL })
    .setProtectedHeader({ alg: "RS256", kid: "one" })
    .setIssuer(ACCESS_TEAM)
    .setAudience("tag")
    .setExpirationTime("1h")
    .sign(privateKey);
  const headers = { "cf-access-jwt-assertion": jwt };
  const { client, stop } = await startServices({ ACCESS_TEAM, ACCESS_AUDIENCE: "tag" });
  try {
    const merchant = await client.createMerchant();
    expect((await ask(client, merchant, headers)).status).toBe(401);
    const token = await inviteTo({ client, merchant });
    expect((await send(client, "POST", "/api/v1/invites/accept", headers, { token })).status).toBe(201);
    for (let index = 0; index < 3; index++) expect((await ask(client, merchant, headers)).status).toBe(200);
    expect((await ask(client, merchant, { "cf-access-jwt-assertion": `${jwt.slice(0, -4)}AAAA` })).status).toBe(401);
    expect(asked).toBe(1); // the keys stay with the isolate
  } finally {
    await stop();
    team.close();
  }
});
