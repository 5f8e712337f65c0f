// The saved views of a shop: each a page with its range, filters and steps, that a link opens. Admins keep the view
// that is shown under a name, and take one away.

import { useState } from "preact/hooks";
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
}

/** The menu of saved views. */
export default function Views() {
  const path = `/api/v1/merchants/${encodeURIComponent(shop.value?.id ?? "")}/views`;
  const got = useGet<{ readonly views: readonly SavedView[] }>(path);
  const [failure, setFailure] = useState<Failure>();
  const mayChange = shop.value?.role !== "viewer";
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
    const name = String(new FormData(form).get("name") ?? "").trim();
    const { all: _, ...kept } = view.value; // a drawer is no part of a view
    if (await send("POST", "", { name, page: page.value, search: toSearch(kept) })) form.reset();
  };
  const views = got.body?.views;
  return (
    <>
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
              <a href={`/s/${encodeURIComponent(shop.value?.id ?? "")}/${encodeURIComponent(one.page)}${one.search}`}>
                <bdi>{one.name}</bdi> <span class="mute">{titleOf(one.page)}</span>
              </a>
              {mayChange && (
                <button
                  type="button"
                  aria-label={t("remove", { name: one.name })}
                  onClick={() => send("DELETE", `/${encodeURIComponent(one.id)}`)}
                >
                  ×
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {mayChange && (
        <form onSubmit={save} class="form">
          <label>
            {t("keep")}
            <input name="name" maxLength={120} required autocomplete="off" />
          </label>
          <p class="problem" role="alert">
            {failure !== undefined && wordsOf(failure)}
          </p>
          <button type="submit" class="first">
            {t("save")}
          </button>
        </form>
      )}
    </>
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
