// Somebody sends large requests and closes the connection after the first part of each. The platform ends what it does
// for a client that has left, so their other parts never come. They kept their places in the lane for as long as
// anything else came in it: eight of them, and then one small request every two seconds, locked the large requests of
// all honest pages out for good.

import { expect, test } from "vitest";
import { LARGE_REQUEST_WAIT_MS_MAX } from "../../core/limits.ts";
import { KEYLESS, type LargeRequest, Turns } from "../../core/turns.ts";

const AT = Date.parse("2026-11-30T12:00:00Z");

test("[BCK-5] what clients have left keeps no places, however busy somebody keeps the lane", () => {
  const turns = new Turns();
  let now = AT;
  const send = (parts: number) => turns.enter(KEYLESS, { parts, now });
  const part = (request: LargeRequest) => {
    const turn = turns.take(request, now);
    for (let ms = turns.leftMs(turn, now); ms > 0; ms = turns.leftMs(turn, now)) now += ms;
  };
  let left = 0;
  for (let request = send(31); request.fullForSeconds === 0; request = send(31)) {
    part(request);
    left += 1;
  }
  expect(left).toBeGreaterThan(5);
  const honest: number[] = [];
  for (let second = 0; second < 60; second++) {
    now += 1_000;
    const small = send(4);
    if (small.fullForSeconds === 0) for (let at = 0; at < 4; at++) part(small);
    if (now - AT < 2 * LARGE_REQUEST_WAIT_MS_MAX) continue;
    const request = send(32);
    honest.push(request.fullForSeconds);
    if (request.fullForSeconds === 0) for (let at = 0; at < 32; at++) part(request);
  }
  expect(honest.length).toBeGreaterThan(40);
  expect(honest).toEqual(honest.map(() => 0));
});
