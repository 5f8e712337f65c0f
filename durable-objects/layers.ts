// The layers of a partition: what has left the memory of a shelf's Days lies in rows of SQLite, a layer for each time
// that something left (core/counting/layer-rows.ts). Layers are only added. An erasure alone changes rows of one. A
// layer is written in the transaction of the checkpoint that writes what stays, so that nothing is in both or in none.

import type { DayState } from "../core/counting/day.ts";
import { encodePiece, type SplitDay, splitDay, wholeDay } from "../core/counting/layer.ts";
import {
  decodeHead,
  encodeHead,
  filterKey,
  findKey,
  type LayerHead,
  type LayerRecords,
  type LayerRows,
  ownKey,
  piecesOf,
  ROW_KINDS,
  rowOf,
  rowsOf,
  toLayer,
  withoutKeys,
  withoutPieces,
} from "../core/counting/layer-rows.ts";
import { NOTHING_RESTS, orderKey, type RestedLookUp, visitorKey } from "../core/counting/rested.ts";
import { keyedHash } from "../core/keyed-hash.ts";
import { keyOf, type Partition, type Shelf, touch } from "./state.ts";
import type { ShelfKey, Store } from "./store.ts";

export interface Layer extends LayerHead {
  readonly number: number;
}

/** A merchant of whose Day nothing is to rest any more, once the next checkpoint is written. */
export interface Recalled extends ShelfKey {
  readonly merchant: number;
  /** Not even its ids. */
  readonly isForgotten: boolean;
}

type Layered = Pick<Partition, "layers"> & { readonly deps: { readonly store: Store } };

/** The layers of a shelf, the oldest first. What is known of them without reading rows is kept in memory. */
export function layersOf(partition: Layered, key: ShelfKey): Layer[] {
  const name = keyOf(key);
  const known = partition.layers.get(name);
  if (known !== undefined) return known;
  const heads = partition.deps.store.readLayerHeads(key);
  const layers = heads.map(({ layer, bytes }): Layer => ({ number: layer, ...decodeHead(bytes) }));
  partition.layers.set(name, layers);
  return layers;
}

/** Looks into the layers of a shelf for one merchant. */
export function lookUpIn(partition: Layered, key: ShelfKey, merchant: number): RestedLookUp {
  const { store } = partition.deps;
  function* find(kind: "ids" | "outlines", [high, low]: readonly [number, number], before = Infinity) {
    const layers = layersOf(partition, key);
    if (layers.length === 0) return;
    const filtered = filterKey(merchant, high, low);
    for (const { number, madeAt, filter, firsts } of layers) {
      if (madeAt >= before || !filter.mayHave(...filtered)) continue;
      const row = rowOf(firsts[kind], merchant, high);
      if (row === undefined) continue;
      const found = findKey(store.readLayerRow(key, { layer: number, kind, row }), { merchant, high, low });
      if (found !== undefined) yield found;
    }
  }
  return {
    contentOf: (high, low) => {
      for (const { word } of find("ids", [high, low])) return word;
      return undefined;
    },
    outlinesOf: (high, low, before) => Array.from(find("outlines", [high, low], before), ({ payload }) => payload),
    *pieces(since = 0) {
      for (const { number, madeAt, filter, firsts } of layersOf(partition, key)) {
        if (madeAt < since || !filter.mayHave(...ownKey(merchant))) continue;
        for (const row of rowsOf(firsts.pieces, merchant))
          yield* piecesOf(store.readLayerRow(key, { layer: number, kind: "pieces", row }), merchant);
      }
    },
  };
}

/** What a shelf gives up, and what it is afterwards. */
export interface NewLayer {
  readonly number: number;
  readonly layer: LayerRows;
  readonly left: ReadonlyMap<number, DayState>;
  /** About what its visits and orders took in memory. */
  readonly bytes: number;
  /** Whether all who have gone are in it. */
  readonly isWhole: boolean;
}

/**
 * Parts the Days of a shelf: ids leave, and who was last seen before an instant, up to so many bytes. Neither memory
 * nor disk is changed.
 */
export function makeLayer(
  partition: Partition,
  shelf: Shelf,
  { before, bytesMax }: { readonly before: number; readonly bytesMax: number },
): NewLayer {
  const records: LayerRecords = { ids: [], outlines: [], pieces: [] };
  const left = new Map<number, DayState>();
  let bytes = 0;
  let isWhole = true;
  for (const [merchant, state] of shelf.days) {
    const split = splitDay(state, before, bytesMax - bytes);
    addRecords(records, { merchant, state, split });
    left.set(merchant, split.left);
    bytes += split.bytes;
    isWhole &&= split.isWhole;
  }
  const number = (layersOf(partition, shelf).at(-1)?.number ?? 0) + 1;
  return { number, layer: toLayer(records, partition.deps.now()), left, bytes, isWhole };
}

/** Writes it. Call it inside a transaction. */
export function writeLayer(store: Store, key: ShelfKey, { number, layer }: NewLayer): void {
  store.writeLayerRow(key, { layer: number, kind: "head", row: 0 }, encodeHead(layer.head));
  for (const kind of ROW_KINDS) {
    for (const [row, bytes] of layer.rows[kind].entries())
      store.writeLayerRow(key, { layer: number, kind, row }, bytes);
  }
}

/** Takes what rests of a merchant's Day back into memory, to be changed there. The next checkpoint deletes its rows. */
export function recall(partition: Partition, shelf: Shelf, state: DayState): DayState {
  if (state.rested.events === 0) return state;
  const recalled = wholeDay(state);
  recalled.rested = { ...NOTHING_RESTS, events: state.rested.events };
  shelf.days.set(state.merchant, recalled);
  touch(partition, shelf);
  partition.recalled.push({ day: shelf.day, shelf: shelf.shelf, merchant: state.merchant, isForgotten: false });
  return recalled;
}

/** Deletes a merchant's rows. Call it inside a transaction. */
export function deleteRecalled(partition: Layered, { merchant, isForgotten, ...key }: Recalled): void {
  const { store } = partition.deps;
  for (const { number, filter, firsts } of layersOf(partition, key)) {
    if (!filter.mayHave(...ownKey(merchant))) continue;
    for (const kind of ROW_KINDS) {
      if (kind === "ids" && !isForgotten) continue;
      for (const row of rowsOf(firsts[kind], merchant)) {
        const at = { layer: number, kind, row };
        const bytes = store.readLayerRow(key, at);
        store.writeLayerRow(key, at, kind === "pieces" ? withoutPieces(bytes, merchant) : withoutKeys(bytes, merchant));
      }
    }
  }
}

function addRecords(
  { ids, outlines, pieces }: LayerRecords,
  { merchant, state, split }: { readonly merchant: number; readonly state: DayState; readonly split: SplitDay },
): void {
  if (state.ids.size > 0) ids.push({ merchant, words: state.ids.toSorted() });
  for (const piece of split.pieces) {
    for (const [kind, name, payload] of piece.outlines) {
      const [high, low] = keyedHash(kind === "visitor" ? visitorKey(name) : orderKey(name), state.idKey);
      outlines.push({ merchant, high, low, word: 0, payload });
    }
    pieces.push({ merchant, bytes: encodePiece(piece) });
  }
}
