// Where notices may be sent: which addresses are refused when they are saved, and which when their name is resolved.

import { describe, expect, test } from "vitest";
import type { Channel } from "../../../core/notice/subscription.ts";
import { isPublicAddress, refusalOfUrl } from "../../../core/notice/target.ts";

const refused = (text: string, channel: Exclude<Channel, "email"> = "webhook") =>
  refusalOfUrl(URL.parse(text), channel);

describe("[NTC-8] an address that is not public is refused when it is saved", () => {
  test.each([
    ["http://shop.example.com/hook", "does not begin with https://"],
    ["ftp://shop.example.com/hook", "does not begin with https://"],
    ["hook", "is no address"],
    ["https://user:secret@shop.example.com/", "has a user or password"],
    ["https://shop.example.com:8443/", "has a port"],
    ["https://shop.example.com:80/", "has a port"],
    ["https://shop.example.com/#part", 'behind "#"'],
    ["https://127.0.0.1/", "has a network address"],
    ["https://2130706433/", "has a network address"],
    ["https://0x7f.1/", "has a network address"],
    ["https://017700000001/", "has a network address"],
    ["https://１２７.0.0.1/", "has a network address"],
    ["https://8.8.8.8/", "has a network address"],
    ["https://[::1]/", "has a network address"],
    ["https://[::ffff:10.0.0.1]/", "has a network address"],
    ["https://localhost/", "is of a name that is not public"],
    ["https://LOCALHOST./", "is of a name that is not public"],
    ["https://db.internal/", "is of a name that is not public"],
    ["https://printer.local/", "is of a name that is not public"],
    ["https://metadata/", "is of a name that is not public"],
    [`https://shop.example.com/${"a".repeat(1_000)}`, "is longer than"],
  ])("%s", (text, expected) => {
    expect(refused(text)).toContain(expected);
  });

  test("and one that is public is not, whose port is that of https", () => {
    expect(refused("https://shop.example.com:443/hook?secret=1")).toBeUndefined();
    expect(refused("https://münchen.de/hook")).toBeUndefined();
  });

  test.each([
    ["slack", "https://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com.evil.com/services"],
    ["discord", "https://discord.com/api/webhooks/1/x", "https://discord.com.evil.com/"],
    ["teams", "https://shop.webhook.office.com/webhookb2/x", "https://webhook.office.com.evil.com/"],
  ] as const)("a webhook of %s lies where its product has it", (channel, right, wrong) => {
    expect(refused(right, channel)).toBeUndefined();
    expect(refused(wrong, channel)).toBe(`is no webhook of ${channel}`);
  });
});

describe("[NTC-9] addresses that a name resolves to", () => {
  test.each([
    ..."0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1".split(" "),
    ..."192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 255.255.255.255".split(" "),
    ...":: ::1 ::ffff:10.0.0.1 ::ffff:7f00:1 64:ff9b::a00:1 fc00::1 fd12::1 fe80::1 ff02::1".split(" "),
    ..."2001:db8::1 2001::1 2002:7f00:1:: 3fff::1 100::1".split(" "),
    "name.example.com",
  ])("%s is not public", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each([
    "1.1.1.1",
    "172.15.0.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
  ])("%s is", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
