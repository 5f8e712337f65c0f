// Files of other products that are read by themselves, without a map: known by their columns, or by what their objects
// hold. A source makes rows of lines and knows nothing of files; a line may be several events, or none.

import type { Row } from "./row.ts";
import { readExport } from "./sources/footfall-export.ts";
import { readGa4 } from "./sources/ga4.ts";
import { goatcounterReader, isGoatcounter } from "./sources/goatcounter.ts";
import { isMatomo, matomoReader, readMatomoVisit } from "./sources/matomo.ts";
import { readPosthog } from "./sources/posthog.ts";
import { isSegmentTable, readSegment, segmentTableReader } from "./sources/segment.ts";
import { isShopify, isShopifyTransactions, shopifyReader, shopifyTransactionReader } from "./sources/shopify.ts";
import { isSimpleAnalytics, simpleAnalyticsReader } from "./sources/simple-analytics.ts";
import { isUmami, isUmamiData, refuseUmamiData, umamiReader } from "./sources/umami.ts";
import { wooReader } from "./sources/woocommerce.ts";

export interface SourceOptions {
  /** What addresses that start with "/" are completed with. */
  readonly origin: string | undefined;
  /** Whether refunds whose date the file does not know count on the date of their order. */
  readonly refunds: boolean;
}

/** A CSV by its header. */
export interface TableSource {
  readonly name: string;
  readonly isHeader: (columns: readonly string[]) => boolean;
  /** A reader of one file; it may remember rows. What is wrong with the header as a whole is a text. */
  readonly open: (columns: readonly string[], options: SourceOptions) => TableReader | string;
}

/** The events of one row, by the names of the columns; what is empty is "". */
export type TableReader = (cell: (column: string) => string) => readonly Row[];

/** JSON lines by what an object holds. */
export interface ObjectSource {
  readonly name: string;
  readonly open: (options: SourceOptions) => ObjectReader;
}

/** The events in an object; undefined where it is none of the source's. */
export type ObjectReader = (object: Readonly<Record<string, unknown>>) => readonly Row[] | undefined;

export const TABLE_SOURCES: readonly TableSource[] = [
  { name: "shopify", isHeader: isShopify, open: shopifyReader },
  { name: "shopify-transactions", isHeader: isShopifyTransactions, open: shopifyTransactionReader },
  { name: "goatcounter", isHeader: isGoatcounter, open: goatcounterReader },
  { name: "umami", isHeader: isUmami, open: umamiReader },
  { name: "umami", isHeader: isUmamiData, open: refuseUmamiData },
  { name: "matomo", isHeader: isMatomo, open: matomoReader },
  { name: "simple-analytics", isHeader: isSimpleAnalytics, open: simpleAnalyticsReader },
  { name: "segment", isHeader: isSegmentTable, open: segmentTableReader },
];

export const OBJECT_SOURCES: readonly ObjectSource[] = [
  { name: "footfall", open: () => readExport },
  { name: "woocommerce", open: wooReader },
  { name: "ga4", open: () => readGa4 },
  { name: "matomo", open: () => readMatomoVisit },
  { name: "posthog", open: () => readPosthog },
  { name: "segment", open: () => readSegment },
];
