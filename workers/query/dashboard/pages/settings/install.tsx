// Settings, Your page: the line that a shop puts on its pages, for each of its streams, and beside it whether a hit has
// come and why another was left out.

import { useState } from "preact/hooks";
import { boot } from "../../boot.ts";
import { Copy } from "../../copy.tsx";
import { keepText, recallText } from "../../keep.ts";
import { count, speak } from "../../text.ts";
import { Cell, Field, List, Maker, ofShop, useAct, useList } from "./act.tsx";
import { Check } from "./check.tsx";
import { isAllowed } from "./role.ts";
import texts from "./text.ts";

const { t } = speak(texts);
/** What an address looks like. */
const EXAMPLE = "https://collector.example";
const COLLECTOR = "footfall-collector";

interface Stream {
  readonly number: number;
  readonly name: string;
  readonly hostname: string | null;
  readonly tracking_id: string;
  /** What DNS must have before hits may name the host; null where nothing is to be proven. */
  readonly proof_record: { readonly name: string; readonly text: string } | null;
}

/** The snippet of a stream, the check of it, and all streams. */
export function Install() {
  const streams = useList<Stream>(ofShop("/streams"), "streams");
  const [chosen, choose] = useState<Stream>();
  const [made, setMade] = useState("");
  const act = useAct();
  const shown = chosen ?? streams.rows?.[0];
  const make = async (given: (name: string) => string) => {
    const hostname = given("hostname");
    const body = { name: given("name"), ...(hostname !== "" && { hostname }) };
    const stream = await act.send<Stream>("POST", ofShop("/streams"), body);
    if (stream === undefined) return false;
    choose(stream);
    setMade(stream.name);
    streams.reload();
    return true;
  };
  return (
    <>
      {shown !== undefined && <Snippet stream={shown} />}
      <Check />
      <List
        title={t("streams")}
        none={t("streamsNone")}
        list={streams}
        columns={[t("name"), t("host"), t("trackingId"), t("actions")]}
      >
        {streams.rows?.map((stream) => (
          <tr key={stream.number}>
            <th scope="row">
              <bdi>{stream.name}</bdi> <span class="mute">{count(stream.number)}</span>
            </th>
            <Cell of={t("host")}>
              <bdi>{stream.hostname ?? "–"}</bdi>
              {stream.proof_record && (
                <p class="mute">
                  <code dir="ltr">
                    DNS: {stream.proof_record.name} TXT {stream.proof_record.text}
                  </code>
                </p>
              )}
            </Cell>
            <Cell of={t("trackingId")}>
              <code dir="ltr">{stream.tracking_id}</code>{" "}
              <Copy text={stream.tracking_id} name={`${t("trackingId")}, ${stream.name}`} class="link" />
            </Cell>
            <td>
              <button
                type="button"
                aria-pressed={stream.number === shown?.number}
                aria-label={`${t("snippet")}: ${stream.name}`}
                onClick={() => choose(stream)}
              >
                {t("snippet")}
              </button>
            </td>
          </tr>
        ))}
      </List>
      {isAllowed("admin") && (
        <Maker title={t("streamNew")} does={t("make")} act={act} submit={make} fields={["name", "hostname"]}>
          <Field name="name" label={t("name")} failure={act.failure} required maxLength={120} />
          <Field name="hostname" label={t("host")} help={t("hostHelp")} failure={act.failure} />
          <p role="status">{made !== "" && <bdi>{t("streamMade", { name: made })}</bdi>}</p>
        </Maker>
      )}
    </>
  );
}

/** What stands on a page of the shop. The collector's address is the deployment's, or was typed in here. */
function Snippet({ stream: { name, tracking_id } }: { readonly stream: Stream }) {
  const [typed, setTyped] = useState(recallText(COLLECTOR) ?? "");
  const collector = boot.collector ?? originOf(typed);
  const text = `<script defer src="${collector}/t.js" data-tracking-id="${tracking_id}"></script>`;
  return (
    <section class="panel snippet" aria-labelledby="snippet-title">
      <h2 id="snippet-title">{t("snippetTitle")}</h2>
      <p>{t("snippetLead")}</p>
      {boot.collector === undefined && (
        <Field
          name="collector"
          type="url"
          label={t("collector")}
          help={t("collectorHelp")}
          placeholder={EXAMPLE}
          value={typed}
          failure={undefined}
          onInput={(event) => {
            const address = event.currentTarget.value.trim();
            setTyped(address);
            // A browser that keeps nothing asks again the next time.
            if (originOf(address) !== undefined) keepText(COLLECTOR, address);
          }}
        />
      )}
      {collector !== undefined && (
        <>
          <pre dir="ltr">{text}</pre>
          <div class="choices">
            <Copy text={text} name={`${t("snippet")}, ${name}`} class="first" />
            <bdi class="mute">{name}</bdi>
          </div>
        </>
      )}
    </section>
  );
}

/** The address of a Worker, without a path; undefined of what is no address. */
function originOf(address: string): string | undefined {
  return /^https?:\/\//.test(address) && URL.canParse(address) ? new URL(address).origin : undefined;
}
