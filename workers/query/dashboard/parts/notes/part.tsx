// The notes on the days that the chart shows, in a dialog: they are read, written and taken away here.

import { useEffect, useRef, useState } from "preact/hooks";
import { ofShop } from "../../get.ts";
import { notes, notesPath, notesTurn } from "../../notes.ts";
import { type Failure, request } from "../../numbers.ts";
import { datesShown, today } from "../../range.tsx";
import { noteSignedOut, shop } from "../../store.ts";
import { bucket, t as common, speak } from "../../text.ts";
import texts from "./text.ts";

const { t } = speak(texts);

/** The dialog of notes. */
export default function Notes({ close }: { readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [failure, setFailure] = useState<Failure>();
  const mayChange = shop.value?.role !== "viewer";
  useEffect(() => dialog.current?.showModal(), []);
  const send = async (method: string, rest: string, body?: object) => {
    const reply = await request(method, notesPath() + rest, { headers: ofShop(), ...(body !== undefined && { body }) });
    const failed = "failure" in reply ? reply.failure : undefined;
    setFailure(failed);
    if (failed !== undefined) noteSignedOut(failed);
    else notesTurn.value += 1;
    return failed === undefined;
  };
  const remove = async (id: string) => {
    // The button goes with its note: whoever pressed it stays in the dialog.
    if (await send("DELETE", `/${encodeURIComponent(id)}`)) dialog.current?.focus();
  };
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    const note = { date: String(given.get("date") ?? ""), text: String(given.get("text") ?? "").trim() };
    if (await send("POST", "", note)) form.reset();
  };
  const last = datesShown()?.[1] ?? today();
  return (
    <dialog ref={dialog} tabIndex={-1} class="sheet" aria-labelledby="notes-title" onClose={close}>
      <h2 id="notes-title">{common("notes")}</h2>
      <p class="mute">{t("lead")}</p>
      {notes.value.length === 0 ? (
        <p class="nothing">{t("none")}</p>
      ) : (
        <ul class="notes">
          {notes.value.map(({ id, date, text, author }) => (
            <li key={id}>
              <span>
                <b>{bucket(date, "day", "full")}</b> <bdi>{text}</bdi>{" "}
                {author !== null && <span class="mute">{author}</span>}
              </span>
              {mayChange && (
                <button
                  type="button"
                  aria-label={t("remove", { date: bucket(date, "day", "full") })}
                  onClick={() => remove(id)}
                >
                  ×
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {mayChange && (
        <form class="form" onSubmit={add}>
          <label>
            {t("date")}
            <input name="date" type="date" required defaultValue={last < today() ? last : today()} />
          </label>
          <label>
            {t("text")}
            <input name="text" maxLength={300} required autocomplete="off" />
          </label>
          <p class="problem" role="alert">
            {failure !== undefined && (("message" in failure && failure.message) || common("failed"))}
          </p>
          <button type="submit" class="first">
            {t("add")}
          </button>
        </form>
      )}
      <form method="dialog">
        <button type="submit">{common("close")}</button>
      </form>
    </dialog>
  );
}
