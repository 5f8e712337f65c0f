// All shops of a person, each with its last week.

import { useEffect, useState } from "preact/hooks";
import { DEFAULT_VIEW, toSearch } from "../../address.ts";
import { boot, type Shop } from "../../boot.ts";
import { Change } from "../../change.tsx";
import { Spark } from "../../chart.tsx";
import { Frame } from "../../frame.tsx";
import { numberOf } from "../../metric.ts";
import { askTogether, request } from "../../numbers.ts";
import { t as common, count, speak, time, zoneName } from "../../text.ts";
import texts from "./text.ts";

const { t, tn, named } = speak(texts);

interface Week {
  readonly visitors: readonly (number | null)[];
  readonly all: number | null;
  readonly change: number | null;
}

/** All shops of a person, each with its last week. */
export default function Shops() {
  const [all, setAll] = useState<readonly Shop[]>(boot.shops);
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    if (boot.shopsCount <= boot.shops.length) return;
    request("GET", "/api/v1/shops").then((reply) => {
      if ("body" in reply) setAll((reply.body as { shops: readonly Shop[] }).shops);
    });
  }, []);
  const shown = all.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Frame title={common("shops")}>
      <p class="mute lead">
        {all.length === 0 ? t("shopsNone") : tn("shopsLead", boot.shopsCount, { email: boot.email ?? "" })}
      </p>
      {all.length > 5 && (
        <input
          type="search"
          aria-label={t("shopsSearch")}
          placeholder={t("shopsSearch")}
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      <ul class="shops">
        {shown.map((one) => (
          <ShopCard key={one.id} shop={one} />
        ))}
      </ul>
    </Frame>
  );
}

function ShopCard({ shop: { id, name, role, time_zone } }: { readonly shop: Shop }) {
  const [week, setWeek] = useState<Week>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const shared = { site_id: id, date_range: "7d", filters: [] };
    const before = { comparisons: { mode: "previous_period", match_day_of_week: true } };
    askTogether(shared, {
      all: { metrics: ["visitors"], include: before },
      days: { metrics: ["visitors"], dimensions: ["time:day"], include: { time_labels: true } },
    }).then(({ all, days }) => {
      if (!("answer" in all) || !("answer" in days)) {
        setProblem(common("failed"));
        return;
      }
      const [row] = all.answer.results;
      const values = new Map(
        days.answer.results.map(({ dimensions, metrics }) => [dimensions[0], numberOf(metrics[0])]),
      );
      setWeek({
        visitors: (days.answer.meta.time_labels ?? []).map((label) => values.get(label) ?? 0),
        all: numberOf(row?.metrics[0]),
        change: row?.comparison?.change[0] ?? null,
      });
    });
  }, [id]);
  return (
    <li>
      <a href={`/s/${encodeURIComponent(id)}/${boot.start}${toSearch(DEFAULT_VIEW)}`}>
        <h2>
          <bdi>{name}</bdi>
        </h2>
        <span class="mute">
          {named(`role_${role}`)} · {zoneName(time_zone)} {time(new Date().toISOString(), time_zone)}
        </span>
        <span class="figure">
          <b>{week?.all === undefined || week.all === null ? "–" : count(week.all)}</b>
          <span class="mute">
            {common("visitors")}, {common("range_7d")}
          </span>
          <Change change={week?.change ?? null} good={1} />
        </span>
        {week !== undefined && <Spark values={week.visitors} />}
        {problem !== "" && <span class="problem">{problem}</span>}
      </a>
    </li>
  );
}
