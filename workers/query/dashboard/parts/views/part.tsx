// The saved views of a shop: each a page with its range, filters and steps, that a link opens. Admins keep the view
// that is shown under a name, for the shop or for themselves; a viewer keeps views of their own. Whoever may keep a
// view may give it another name, in its place, and take it away.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { toSearch } from "../../address.ts";
import { ofShop, useGet } from "../../get.ts";
import { type Failure, request } from "../../numbers.ts";
import { PAGES } from "../../pages.ts";
import { Trouble } from "../../state.tsx";
import { noteSignedOut, page, shop, view } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import texts from "./text.ts";

const { t } = speak(texts);

interface SavedView {
  readonly id: string;
  readonly name: string;
  readonly page: string;
  readonly search: string;
  /** Whether nobody else sees it. */
  readonly own: boolean;
}

const MEMBER_OF = (own: boolean) => (own ? "own-views" : "views");

/** The menu of saved views. */
export default function Views() {
  const path = `/api/v1/merchants/${encodeURIComponent(shop.value?.id ?? "")}/`;
  const got = useGet<{ readonly views: readonly SavedView[] }>(`${path}views`);
  const [failure, setFailure] = useState<Failure>();
  const [renamed, rename] = useState<string>();
  const list = useRef<HTMLDivElement>(null);
  const isAdmin = shop.value?.role !== "viewer";
  const pathOf = ({ id, own }: SavedView) => `${MEMBER_OF(own)}/${encodeURIComponent(id)}`;
  const send = async (method: string, rest: string, body?: object) => {
    const reply = await request(method, path + rest, { headers: ofShop(), ...(body !== undefined && { body }) });
    const failed = "failure" in reply ? reply.failure : undefined;
    setFailure(failed);
    if (failed !== undefined) noteSignedOut(failed);
    else got.reload();
    return failed === undefined;
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    const name = String(given.get("name") ?? "").trim();
    const { all: _, ...kept } = view.value; // a drawer is no part of a view
    const body = { name, page: page.value, search: toSearch(kept) };
    if (await send("POST", MEMBER_OF(!isAdmin || given.has("own")), body)) form.reset();
  };
  const remove = async (one: SavedView) => {
    if (await send("DELETE", pathOf(one))) list.current?.focus(); // what was pressed goes
  };
  const views = got.body?.views;
  return (
    <div ref={list} tabIndex={-1} class="views-list">
      <Trouble part={got} />
      {views === undefined ? (
        <p class="mute" aria-busy={got.failure === undefined}>
          {common("loading")}
        </p>
      ) : views.length === 0 ? (
        <p class="mute">{t("none")}</p>
      ) : (
        <ul>
          {views.map((one) => (
            <li key={one.id} class="pair">
              {renamed === one.id ? (
                <Rename
                  name={one.name}
                  take={(name) => send("PATCH", pathOf(one), { name })}
                  done={() => rename(undefined)}
                />
              ) : (
                <a href={`/s/${encodeURIComponent(shop.value?.id ?? "")}/${encodeURIComponent(one.page)}${one.search}`}>
                  <bdi>{one.name}</bdi>{" "}
                  <span class="mute">
                    {titleOf(one.page)}
                    {one.own && ` · ${t("mine")}`}
                  </span>
                </a>
              )}
              {(isAdmin || one.own) && renamed !== one.id && (
                <span class="pair">
                  <button type="button" aria-label={t("renameOne", { name: one.name })} onClick={() => rename(one.id)}>
                    ✎
                  </button>
                  <button type="button" aria-label={t("remove", { name: one.name })} onClick={() => remove(one)}>
                    ×
                  </button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={save} class="form">
        <label>
          {t("keep")}
          <input name="name" maxLength={120} required autocomplete="off" />
        </label>
        {isAdmin ? (
          <label class="check">
            <input type="checkbox" name="own" value="yes" /> {t("forMe")}
          </label>
        ) : (
          <p class="mute">{t("forMeOnly")}</p>
        )}
        <p class="problem" role="alert">
          {failure !== undefined && wordsOf(failure)}
        </p>
        <button type="submit" class="first">
          {t("save")}
        </button>
      </form>
    </div>
  );
}

interface RenameProps {
  readonly name: string;
  /** Whether it has that name now. */
  readonly take: (name: string) => Promise<boolean>;
  readonly done: () => void;
}

/** A view's name as a box to type into, in the place of its link. Enter takes what was typed, Escape leaves it. */
function Rename({ name, take, done }: RenameProps) {
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    box.current?.focus();
    box.current?.select();
  }, []);
  const leave = () => {
    const list = box.current?.closest<HTMLElement>(".views-list");
    done();
    list?.focus();
  };
  return (
    <form
      class="pair rename"
      onSubmit={async (event) => {
        event.preventDefault();
        const typed = box.current?.value.trim() ?? "";
        if (typed === name || (await take(typed))) leave();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault(); // the menu stays
        leave();
      }}
    >
      <input ref={box} aria-label={t("renameAs")} defaultValue={name} maxLength={120} required autocomplete="off" />
      <button type="submit">{t("rename")}</button>
    </form>
  );
}

/** What the page of a view is called, where there still is one. */
function titleOf(name: string): string {
  const title = PAGES.find((one) => one.name === name)?.title;
  return title === undefined ? name : common(title);
}

function wordsOf(failure: Failure): string {
  if ("field" in failure && failure.field === "name" && failure.code === "conflict") return t("taken");
  return ("message" in failure && failure.message) || common("failed");
}
