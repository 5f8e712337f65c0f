// `node scripts/build-world.ts <countries-110m.json>`: makes the outlines of the map of countries
// (workers/query/dashboard/parts/map/world.ts, which is checked in) from Natural Earth's 1:110m countries, which are in
// the public domain, as the npm package world-atlas has them in TopoJSON. They are drawn in Equal Earth, a projection
// in which countries of equal area look equally large, in whole units of a sheet 1,000 wide. Run again only when
// borders change.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

type Arc = readonly (readonly [number, number])[];
type Rings = readonly (readonly number[])[];

interface Topology {
  readonly transform: { readonly scale: readonly [number, number]; readonly translate: readonly [number, number] };
  readonly arcs: readonly Arc[];
  readonly objects: {
    readonly countries: {
      readonly geometries: readonly {
        readonly type: "Polygon" | "MultiPolygon";
        readonly arcs: Rings | readonly Rings[];
        readonly id?: string;
        readonly properties: { readonly name: string };
      }[];
    };
  };
}

const OUT = join(import.meta.dirname, "../workers/query/dashboard/parts/map/world.ts");
const WIDTH = 1_000;
/** Half the width of the sheet in Equal Earth, whose radius is 1. */
const X_MAX = 2.706_629_99;
const Y_MAX = 1.317_362_74;
/** What Natural Earth tells apart and ISO 3166-1 gives no number; ICANN and banks write Kosovo as XK. */
const UNNUMBERED: Readonly<Record<string, string>> = { Kosovo: "XK", "N. Cyprus": "CY", Somaliland: "SO" };
/** Nobody buys there, and it would take the most room. */
const LEFT_OUT = "AQ";
/** The meridian in the middle: the sheet then ends in the Bering Strait, and no country lies on both sides. */
const MIDDLE = 11.6;
/** Degrees: Cape Horn lies at -56. */
const SOUTH = -58;

const topology = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as Topology;
const arcs = topology.arcs.map(drawn);
const paths = new Map<string, string>();
for (const { type, arcs: own, id, properties } of topology.objects.countries.geometries) {
  const code = id === undefined ? UNNUMBERED[properties.name] : new Intl.Locale(`und-${id}`).region;
  if (code === undefined) throw new Error(`no code for ${properties.name}`);
  if (code === LEFT_OUT) continue;
  const polygons = (type === "Polygon" ? [own] : own) as readonly Rings[];
  paths.set(code, (paths.get(code) ?? "") + polygons.flat().map(pathOf).join(""));
}
const lines = [...paths].filter(([, path]) => path !== "").toSorted(([a], [b]) => (a < b ? -1 : 1));
await writeFile(
  OUT,
  `// Made by scripts/build-world.ts from Natural Earth, 1:110m (public domain). Each line is a country: its code, and its
// outline in the Equal Earth projection, on a sheet of ${WIDTH} by ${height()}.

export const SHEET = { width: ${WIDTH}, height: ${height()} } as const;

export const WORLD = \`
${lines.map(([code, path]) => `${code} ${path}`).join("\n")}
\`;
`,
);
console.log(`${lines.length} countries`);

/** Down to the south of Chile: nothing is drawn below. */
function height(): number {
  return project(0, SOUTH)[1];
}

/** An arc in whole units of the sheet; TopoJSON tells each point by its way from the one before. */
function drawn(arc: Arc): Arc {
  const { scale, translate } = topology.transform;
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return project(x * scale[0] + translate[0], y * scale[1] + translate[1]);
  });
}

/** Equal Earth (Šavrič, Patterson and Jenny, 2018), from degrees to the sheet. */
function project(longitude: number, latitude: number): readonly [number, number] {
  const [a1, a2, a3, a4] = [1.340_264, -0.081_106, 0.000_893, 0.003_796] as const;
  const root = Math.sqrt(3) / 2;
  const angle = Math.asin(root * Math.sin((latitude * Math.PI) / 180));
  const square = angle * angle;
  const six = square * square * square;
  const east = ((longitude - MIDDLE + 540) % 360) - 180;
  const x =
    ((east * Math.PI) / 180) * (Math.cos(angle) / (root * (a1 + 3 * a2 * square + six * (7 * a3 + 9 * a4 * square))));
  const y = angle * (a1 + a2 * square + six * (a3 + a4 * square));
  const unit = WIDTH / (2 * X_MAX);
  return [Math.round((x + X_MAX) * unit), Math.round((Y_MAX - y) * unit)];
}

/** A ring of arcs as a path; empty where nothing is left of it. A negative number is an arc told backwards. */
function pathOf(ring: readonly number[]): string {
  const points = ring.flatMap((index) => {
    const arc = (index < 0 ? arcs[~index]?.toReversed() : arcs[index]) ?? [];
    return arc.slice(1); // it begins where the one before has ended
  });
  const kept = points.filter(([x, y], at) => {
    const [px, py] = points.at(at - 1) as readonly [number, number];
    return x !== px || y !== py;
  });
  const [first] = kept;
  if (first === undefined || kept.length < 3) return "";
  const steps = kept.slice(1).map(([x, y], at) => {
    const [px, py] = kept[at] as readonly [number, number];
    const [dx, dy] = [x - px, y - py];
    if (Math.abs(dx) > WIDTH / 2) throw new Error("a country lies on both sides of the sheet: move its middle");
    return dy < 0 ? `${dx}${dy}` : `${dx} ${dy}`;
  });
  return `M${first[0]} ${first[1]}l${steps.join(" ").replaceAll(" -", "-")}Z`;
}
