// The page Archive, one of the settings: how long events are kept, a file of them, and the erasure of a visitor.

import { useEffect, useState } from "preact/hooks";
import { RETENTION_DAYS } from "../../../../../core/limits.ts";
import { addDays } from "../../address.ts";
import { useGet } from "../../get.ts";
import { today } from "../../range.tsx";
import { Trouble } from "../../state.tsx";
import { t as common, dates, speak } from "../../text.ts";
import {
  Cell,
  Choice,
  Confirm,
  Field,
  List,
  Maker,
  ofShop,
  Problem,
  type Question,
  useAct,
  useList,
  when,
} from "../settings/act.tsx";
import { Layout } from "../settings/layout.tsx";
import { isAllowed } from "../settings/role.ts";
import settingsTexts from "../settings/text.ts";
import texts from "./text.ts";

const { t, tn, named } = speak(texts);
const { t: ofSettings } = speak(settingsTexts);

interface Kept {
  readonly retention_days: number | null;
}
interface Erasure {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly created_at: string;
  readonly finished_at: string | null;
}

/** What becomes of the events of the shop. */
export default function Archive() {
  const [question, ask] = useState<Question>();
  return (
    <Layout name="archive" title={common("pageArchive")}>
      {isAllowed("admin") ? (
        <>
          <Export />
          <Retention ask={ask} />
          <Erasures ask={ask} />
        </>
      ) : (
        <p>{ofSettings("adminsOnly")}</p>
      )}
      {question !== undefined && <Confirm question={question} close={() => ask(undefined)} />}
    </Layout>
  );
}

interface Asks {
  readonly ask: (question: Question) => void;
}

/** How often it is asked how far an erasure is. */
const ASKED_EVERY_MS = 5_000;

const FORMATS = [
  ["csv", "CSV"],
  ["ndjson", "JSON lines"],
  ["parquet", "Parquet"],
] as const;

/** A file of all events of some days. */
function Export() {
  const [from, setFrom] = useState(addDays(today(), -30));
  const [to, setTo] = useState(addDays(today(), -1));
  const [format, setFormat] = useState("csv");
  const isRange = from !== "" && to !== "" && from <= to;
  return (
    <section class="panel maker" aria-labelledby="export-title">
      <h2 id="export-title">{t("export")}</h2>
      <p>{t("exportLead")}</p>
      <Field
        name="from"
        type="date"
        label={t("from")}
        value={from}
        failure={undefined}
        onInput={(event) => setFrom(event.currentTarget.value)}
      />
      <Field
        name="to"
        type="date"
        label={t("to")}
        value={to}
        failure={undefined}
        onInput={(event) => setTo(event.currentTarget.value)}
      />
      <Choice name="format" label={t("format")} value={format} options={FORMATS} onChange={setFormat} />
      {isRange ? (
        <a class="button" href={ofShop(`/events?from=${from}&to=${to}&format=${format}`)} download>
          {t("download", { dates: dates(from, to) })}
        </a>
      ) : (
        <p class="problem" role="alert">
          {t("bad_range")}
        </p>
      )}
    </section>
  );
}

/** How long events are kept; a shorter time deletes, and is asked for twice. */
function Retention({ ask }: Asks) {
  const kept = useGet<Kept>(ofShop());
  const act = useAct();
  const [chosen, choose] = useState<string>();
  const now = String(kept.body?.retention_days ?? "");
  const days = (value: string) => (value === "" ? t("forGood") : tn("days", Number(value)));
  const value = chosen ?? now;
  const done = () => {
    choose(undefined);
    kept.reload();
  };
  const save = async () => {
    if (value === now) return;
    const body = { retention_days: value === "" ? null : Number(value) };
    const isShorter = value !== "" && (now === "" || Number(value) < Number(now));
    if (!isShorter) {
      if ((await act.send("PATCH", ofShop(), body)) !== undefined) done();
      return;
    }
    ask({
      title: t("retentionAsk", { days: days(value) }),
      lost: t("retentionLost"),
      does: t("delete"),
      method: "PATCH",
      path: ofShop(),
      body,
      done,
    });
  };
  return (
    <section class="panel maker" aria-labelledby="retention-title" aria-busy={kept.body === undefined && kept.isStale}>
      <h2 id="retention-title">{t("retention")}</h2>
      <p>{t("retentionLead")}</p>
      <Trouble part={kept} />
      {kept.body !== undefined && (
        <>
          <Choice
            name="retention_days"
            label={t("retentionKept")}
            value={value}
            options={["", ...RETENTION_DAYS.map(String)].map((one) => [one, days(one)])}
            onChange={choose}
          />
          <Problem failure={act.failure} />
          <button type="button" class="first" aria-disabled={value === now || act.isBusy} onClick={save}>
            {ofSettings("save")}
          </button>
        </>
      )}
    </section>
  );
}

/** Takes a visitor out of everything, and says how far that is. */
function Erasures({ ask }: Asks) {
  const erasures = useList<Erasure>(ofShop("/erasures"), "erasures");
  const { rows, reload } = erasures;
  const isUnderWay = rows?.some(({ finished_at }) => finished_at === null) ?? false;
  useEffect(() => {
    if (!isUnderWay) return undefined;
    const timer = setTimeout(reload, ASKED_EVERY_MS);
    return () => clearTimeout(timer);
  }, [rows]);
  const act = useAct();
  const erase = async (given: (name: string) => string) => {
    const visitor_id = given("visitor_id");
    ask({
      title: t("eraseAsk", { name: visitor_id }),
      lost: t("eraseLost"),
      does: t("erase"),
      method: "POST",
      path: ofShop("/erasures"),
      body: { visitor_id },
      done: erasures.reload,
    });
    return false;
  };
  return (
    <>
      <Maker title={t("eraseTitle")} does={t("erase")} act={act} submit={erase} fields={[]}>
        <p>{t("eraseLead")}</p>
        <Field name="visitor_id" label={t("visitorId")} failure={act.failure} required maxLength={128} />
      </Maker>
      <List
        title={t("erasures")}
        none={t("erasuresNone")}
        list={erasures}
        columns={[common("when"), t("what"), t("state")]}
      >
        {erasures.rows?.map(({ id, kind, state, created_at, finished_at }) => (
          <tr key={id}>
            <th scope="row">{when(created_at)}</th>
            <Cell of={t("what")}>{named(`erased_${kind}`)}</Cell>
            <Cell of={t("state")}>
              {finished_at === null ? named(`state_${state}`) : t("doneAt", { when: when(finished_at) })}
            </Cell>
          </tr>
        ))}
      </List>
    </>
  );
}
