// The page Trust: that everything that came is accounted for, in one sentence, and what proves it. The API counts the
// events once more when it is asked. Filters do not hold here: what was left out has none of what they ask for.

import { Fragment } from "preact";
import { useId } from "preact/hooks";
import { ApiView, shown as api } from "../../api-view.tsx";
import { Copy } from "../../copy.tsx";
import { Frame } from "../../frame.tsx";
import { type Got, useGet } from "../../get.ts";
import { datesShown, today } from "../../range.tsx";
import { Trouble } from "../../state.tsx";
import { goToPage, parts, shop, view, zoneOfShop } from "../../store.ts";
import { bucket, t as common, count, dates, finePercent, moment, speak, named as word, zoneName } from "../../text.ts";
import { useAsk } from "../../use-ask.ts";
import { ViewBar } from "../../view-bar.tsx";
import { keepLine } from "../rules/kept-line.ts";
import { isAllowed } from "../settings/role.ts";
import {
  DAYS_MAX,
  type Day,
  droppedOf,
  knownLists,
  type LeftOut,
  lastDays,
  lineFor,
  type ProofAnswer,
  proofPath,
  reasonsOf,
  type Seal,
  stateOf,
  verdictOf,
} from "./proof.ts";
import texts from "./text.ts";

const { t, tn, named } = speak(texts);

/** What `GET …/rules/versions` answers. */
interface RuleVersions {
  readonly versions: readonly { readonly version: number; readonly note: string | null; readonly created_at: string }[];
}
const VERSIONS_SHOWN = 5;

/** What proves the numbers of the range. */
export default function Trust() {
  useAsk({ top: { metrics: ["visitors"] } }); // which dates the range is, and how sure its visitors are
  const range = datesShown();
  const asked = range && lastDays(range, today());
  const id = shop.value?.id ?? "";
  const path = asked && proofPath(id, asked.dates);
  const proof = useGet<ProofAnswer>(path);
  const rules = useGet<RuleVersions>(
    id === "" ? undefined : `/api/v1/merchants/${encodeURIComponent(id)}/rules/versions?limit=${VERSIONS_SHOWN}`,
  );
  const { body } = proof;
  const isWaiting = proof.isStale && proof.failure === undefined;
  return (
    <Frame title={common("pageTrust")} bar={<ViewBar without="comparison and filters" />}>
      <div
        class="trust"
        aria-busy={range === undefined ? parts.value["top"]?.failure === undefined : asked !== undefined && isWaiting}
      >
        <Trouble part={parts.value["top"]} />
        <Trouble part={proof} />
        <Verdict proof={body} when={asked && whenOf(asked.dates)} isWaiting={isWaiting} />
        {asked?.isCut && <p class="mute">{t("cut", { n: count(DAYS_MAX) })}</p>}
        {view.value.filters.length > 0 && <p class="mute">{t("filtersNot")}</p>}
        {body !== undefined && <Sum proof={body} />}
        <div class="panels">
          {body !== undefined && <Days days={body.days} />}
          {body !== undefined && <Drops proof={body} />}
          <Sure />
          <Rules proof={body} rules={rules} />
        </div>
        {path !== undefined && (
          <p class="trust-foot">
            <a href={path} download={`footfall-proof-${asked?.dates.join("-")}.json`}>
              {t("keep")}
            </a>
            <button type="button" class="link" onClick={() => (api.value = { address: path })}>
              {common("asApi")}
            </button>
          </p>
        )}
      </div>
      <ApiView />
    </Frame>
  );
}

/** A month by its name, other dates as they are. */
function whenOf([from, to]: readonly [string, string]): string {
  return view.value.range === "month" ? bucket(from, "month", "full") : dates(from, to);
}

interface VerdictProps {
  readonly proof: ProofAnswer | undefined;
  readonly when: string | undefined;
  readonly isWaiting: boolean;
}

/** The one sentence. */
function Verdict({ proof, when, isWaiting }: VerdictProps) {
  if (proof === undefined || when === undefined) {
    return <p class="lead mute">{isWaiting && <>{t("counting")}</>}</p>;
  }
  const [verdict, n] = verdictOf(proof);
  const say = {
    good: () => t("good", { when }),
    none: () => t("none", { when }),
    differs: () => tn("differs", n, { when }),
    lost: () => tn("lost", n, { when }),
  }[verdict];
  const isTrouble = verdict === "differs" || verdict === "lost";
  const states = proof.days.map(stateOf);
  const proven = states.filter((state) => state === "sealed").length;
  const open = states.filter((state) => state === "open").length;
  return (
    <section class={isTrouble ? "verdict bad" : "verdict"} aria-live="polite">
      <h2>
        <span aria-hidden="true">{isTrouble ? "!" : "✓"}</span> {say()}
      </h2>
      {verdict !== "none" && (
        <p>
          {isTrouble ? t("troubleLead") : t("goodLead")} {proven > 0 && tn("provenDays", proven)}{" "}
          {open > 0 && tn("openDays", open)}
        </p>
      )}
    </section>
  );
}

/** Received is counted, left out and outside of visits together. */
function Sum({ proof }: { readonly proof: ProofAnswer }) {
  const shown = [
    ["received", proof.received],
    ["counted", proof.counted],
    ["dropped", droppedOf(proof)],
    ["outside", proof.outside_visits],
  ] as const;
  return (
    <section aria-label={t("sumTitle")}>
      <dl class="sum">
        {shown.map(([name, events]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd>
              <b>{count(events)}</b>
              <span class="mute">{named(`${name}Help`)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p class={proof.adds_up ? "adds-up" : "adds-up problem"}>{proof.adds_up ? t("addsUp") : t("addsNot")}</p>
    </section>
  );
}

/** What was left out, why, and what to do about it. */
function Drops({ proof }: { readonly proof: ProofAnswer }) {
  const reasons = reasonsOf(proof);
  return (
    <section class="panel drops" aria-label={t("dropsTitle")}>
      <h2>{t("dropsTitle")}</h2>
      {reasons.length === 0 ? (
        <p class="nothing">{t("dropsNone")}</p>
      ) : (
        <table class="facts">
          <thead>
            <tr>
              <th scope="col">{t("why")}</th>
              <th scope="col">{t("events")}</th>
            </tr>
          </thead>
          <tbody>
            {reasons.map(([reason, events]) => (
              <Fragment key={reason}>
                <tr>
                  <th scope="row">
                    <b>{named(`d_${reason}`)}</b> <span class="mute">{named(`do_${reason}`)}</span>
                  </th>
                  <td>{count(events)}</td>
                </tr>
                <Which reason={reason} leftOut={proof.left_out[reason]} />
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface WhichProps {
  readonly reason: string;
  readonly leftOut: LeftOut | undefined;
}

/** Which agents, networks, pages and referrers they had; of what a rule would count again it can be made here. */
function Which({ reason, leftOut }: WhichProps) {
  const lists = leftOut === undefined ? [] : knownLists(leftOut);
  if (leftOut === undefined || lists.length === 0) return null;
  return (
    <tr class="which">
      <td colSpan={2}>
        <details>
          <summary>{t("which")}</summary>
          {lists.map((list) => (
            <section key={list} aria-label={named(`l_${list}`)}>
              <h3>{named(`l_${list}`)}</h3>
              <ul>
                {leftOut[list].named.map(({ name, label, events }) => (
                  <li key={name}>
                    <span>
                      {name === "" ? <i>{t("unknown")}</i> : <bdi>{list === "networks" ? `AS${name}` : name}</bdi>}
                      {label !== undefined && <span class="mute"> {label}</span>}
                    </span>
                    <MakeRule line={lineFor(reason, list, name)} name={name} />
                    <span>{count(events)}</span>
                  </li>
                ))}
                {leftOut[list].others > 0 && <li class="mute">{tn("others", leftOut[list].others)}</li>}
              </ul>
            </section>
          ))}
        </details>
      </td>
    </tr>
  );
}

/** Takes a line to the rules, where it is tried before it is decided. */
function MakeRule({ line, name }: { readonly line: ReturnType<typeof lineFor>; readonly name: string }) {
  if (line === undefined || !isAllowed("admin")) return null;
  const take = () => {
    keepLine(shop.value?.id ?? "", line);
    goToPage("rules");
  };
  return (
    <button type="button" class="link" aria-label={t("makeRuleFor", { name })} onClick={take}>
      {t("makeRule")}
    </button>
  );
}

/** Which numbers are counted one by one, and which are estimated. */
function Sure() {
  const visitors = parts.value["top"]?.answer?.meta.visitors;
  const { exact, standard_error: error } = visitors ?? {};
  return (
    <section class="panel" aria-label={t("sureTitle")}>
      <h2>{t("sureTitle")}</h2>
      <dl class="sure">
        <div>
          <dt>{common("exact")}</dt>
          <dd>{t("sureExact")}</dd>
        </div>
        <div>
          <dt>{exact === false && error !== undefined ? `± ${finePercent(error)}` : "±"}</dt>
          <dd>
            {t("sureAbout")}{" "}
            {visitors !== undefined &&
              (exact ? t("sureHereExact") : t("sureHere", { margin: finePercent(error ?? 0) }))}
          </dd>
        </div>
        <div>
          <dt>{common("openMark")}</dt>
          <dd>{t("sureOpen")}</dd>
        </div>
      </dl>
    </section>
  );
}

interface RulesProps {
  readonly proof: ProofAnswer | undefined;
  readonly rules: Got<RuleVersions>;
}

/** By which rules it was counted, and the last decisions about them. */
function Rules({ proof, rules }: RulesProps) {
  return (
    <section class="panel" aria-label={t("rulesTitle")}>
      <h2>{t("rulesTitle")}</h2>
      <Trouble part={rules} />
      {proof !== undefined && <p>{proof.rules === 0 ? t("rulesNone") : common("proofRules", { n: proof.rules })}</p>}
      <ul class="versions">
        {rules.body?.versions.map(({ version, note, created_at }) => (
          <li key={version}>
            <b>{t("version", { n: version })}</b> <span class="mute">{moment(created_at, zoneOfShop())}</span>
            {note !== null && note !== "" && <bdi>{note}</bdi>}
          </li>
        ))}
      </ul>
      <p class="mute">{t("rulesLead")}</p>
    </section>
  );
}

/** Each Day: what came, what became of it, and how far it is proven. The last one first. */
function Days({ days }: { readonly days: readonly Day[] }) {
  const hasOutside = days.some(({ outside_visits }) => outside_visits > 0);
  return (
    <section class="panel days" aria-label={t("daysTitle")}>
      <h2>{t("daysTitle")}</h2>
      <table class="facts">
        <thead>
          <tr>
            <th scope="col">{t("day")}</th>
            <th scope="col">{t("received")}</th>
            <th scope="col">{t("counted")}</th>
            <th scope="col">{t("dropped")}</th>
            {hasOutside && <th scope="col">{t("outside")}</th>}
            <th scope="col">{t("state")}</th>
          </tr>
        </thead>
        <tbody>
          {days.toReversed().map((day) => (
            <tr key={day.date}>
              <th scope="row">{bucket(day.date, "day", "full")}</th>
              <td>{count(day.received)}</td>
              <td>{count(day.counted)}</td>
              <td>{count(droppedOf(day))}</td>
              {hasOutside && <td>{count(day.outside_visits)}</td>}
              <td>
                <State day={day} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const MARKS = { open: "…", closed: "○", sealed: "✓", late: "↻", in_doubt: "!", nothing: "–" } as const;

/** How far a Day is proven; opens a card with its seal and its differences. */
function State({ day }: { readonly day: Day }) {
  const id = useId();
  const state = stateOf(day);
  const isWrong = day.differences.length > 0 || !day.adds_up;
  const says = isWrong ? t("s_differs") : named(`s_${state}`);
  const isBad = isWrong || state === "in_doubt";
  return (
    <span class="proof">
      <button
        type="button"
        popovertarget={id}
        class={isBad ? "problem" : undefined}
        aria-label={`${bucket(day.date, "day", "full")}: ${says}`}
      >
        <span aria-hidden="true">{isWrong ? "!" : MARKS[state]}</span> {says}
      </button>
      <span id={id} popover="auto" class="card">
        <strong>
          {bucket(day.date, "day", "full")}: {named(`s_${state}`)}
        </strong>
        <span>{named(`se_${state}`)}</span>
        {!day.adds_up && <span class="problem">{t("addsNot")}</span>}
        {day.differences.map(({ what, said, recounted }) => (
          <span key={what} class="problem">
            {t("difference", { what: nameOf(what), said: count(said), recounted: count(recounted) })}
          </span>
        ))}
        {day.differences.length === 0 && state !== "nothing" && (
          <span>{day.compared ? t("comparedSame") : t("comparedNot")}</span>
        )}
        {day.seals.map((seal) => (
          <SealFacts key={seal.manifest} seal={seal} />
        ))}
      </span>
    </span>
  );
}

/** What the API compares: metrics by their names, and what was left out. */
function nameOf(what: string): string {
  return what === "drops" ? t("dropped") : what === "events" ? t("events") : word(what);
}

function SealFacts({ seal }: { readonly seal: Seal }) {
  const { sealed_at, generation, manifest, rows, checksum, settings } = seal;
  return (
    <span class="seal">
      {sealed_at !== null && (
        <span>{t("sealedAt", { when: moment(sealed_at, zoneOfShop()), zone: zoneName(zoneOfShop()) })}</span>
      )}
      <span>{tn("rows", rows)}</span>
      {checksum !== null && (
        <span>
          {t("checksum")} <code dir="ltr">{checksum}</code> <Copy text={checksum} name={t("checksum")} class="link" />
        </span>
      )}
      <span class="mute">
        {t("manifest")} <code dir="ltr">{manifest}</code> · {t("generation", { n: generation })}
        {settings !== null && ` · ${t("settings", { n: settings })}`}
      </span>
    </span>
  );
}
