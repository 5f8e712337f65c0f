// Every bound that Footfall relies on: its value, its unit (last in the name) and its reason. Nothing else in the code
// base states a limit. Bounds that depend on each other are asserted together at the end, so that changing one of them
// into nonsense fails every test at once.

import { assert } from "./outcome.ts";

const KIB = 1024;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

// ── what a client may send ────────────────────────────────────────────────────────────────────────────────────────
/** One request body. Browsers cap `sendBeacon` and `fetch(keepalive)` at 64 KiB; servers may batch ten times that. */
export const REQUEST_BYTES_MAX = 640 * KIB;
/** Events in one request: at about 600 B each they fill `REQUEST_BYTES_MAX`. */
export const REQUEST_EVENTS_MAX = 1_000;
/** Canonical event as JSON. One event always fits a log row, a bundle and a queue message, even incompressible. */
export const EVENT_BYTES_MAX = 32 * KIB;
/**
 * Events of a request that count as one request for the rate limits: a full one of 1,000 counts 50 times. An event in a
 * batch costs a twentieth of one that comes alone.
 */
export const LIMIT_EVENTS = 20;
/**
 * Bytes of a request that count as one request, where that gives more than its events do. Twenty events of the usual
 * 600 B have less, so only large events count for more than their number. A full body counts 40 times.
 */
export const LIMIT_BYTES = 16 * KIB;
/**
 * An IPv6 /48, which a provider gives to one customer, may send what so many addresses may. It holds 65,536 networks of
 * 64 bits, each of which counts as an address. One in so many of its requests, chosen at random, is counted for it: so
 * the limit of an address serves for it too, and an ordinary hit asks one counter.
 */
export const LIMIT_NETWORK_ADDRESSES = 16;
/** How many networks and addresses an isolate remembers that have sent too much, 60 B each. */
export const NETWORKS_CLOSED_MAX = 10_000;
/**
 * A request that counts so many times or more is counted by tens, on counters of their own (wrangler.toml, `_MANY`).
 * A full one asks the platform ten times instead of a hundred.
 */
export const LIMIT_MANY = 10;
/**
 * A made-up key counts as 20 requests, because it was looked up in the database. So does a hostname that is nobody's
 * site. An address may thus try 50 of them in 10 s.
 */
export const LIMIT_WRONG_KEY_BYTES = 20 * LIMIT_BYTES;
/**
 * How many refused events of one code an answer explains; of the others it gives only index and code. Before there was
 * this bound, a request of 22 KB got an answer of 142 KB.
 */
export const REFUSALS_EXPLAINED_MAX = 5;
/**
 * When a client that came too often may come again: the period of the limits in wrangler.toml, which have their reasons
 * there. The platform counts in fixed windows, so after this at the latest a new one has begun.
 */
export const RATE_LIMIT_PERIOD_SECONDS = 10;
export const ID_LENGTH_MAX = 128;
export const NAME_LENGTH_MAX = 120;
/** In UTF-16 units. Plausible and GA4 cut near here as well; longer addresses are session tokens, not pages. */
export const URL_LENGTH_MAX = 2_048;
export const TITLE_LENGTH_MAX = 512;
export const USER_AGENT_LENGTH_MAX = 512;
export const LANGUAGE_LENGTH_MAX = 35; // the longest tag BCP 47 recommends to reserve room for
export const SCREEN_LENGTH_MAX = 11; // "99999x99999"
export const PLACE_LENGTH_MAX = 96; // a city's name as the platform gives it
/** The longest spelling of an address: IPv6 with an IPv4 tail. */
export const ADDRESS_LENGTH_MAX = 45;
export const HINT_LENGTH_MAX = 256; // of one client hint: the list of brands takes about 100
export const ORDER_LENGTH_MAX = 128;
/** Days of one import, each with a count, fit an admin body: almost seven years. */
export const IMPORT_DAYS_MAX = 2_500;
/** Kinds of outcome that an import counts. */
export const IMPORT_TALLY_MAX = 100;
/** Imports that a merchant may begin in 24 hours: D1 keeps each with its Days, some 40 KB at most. */
export const IMPORTS_A_DAY_MAX = 50;
/**
 * How many imports of files with the same beginning are looked at, the latest first. A file that has grown each night
 * for half a year has as many.
 */
export const IMPORTS_ALIKE_MAX = 200;
/** An import's number is a 32-bit signed integer in the archive. */
export const IMPORT_NUMBER_MAX = 0x7fff_ffff;
/** Products of one event; a larger order is cut and keeps its revenue. */
export const PRODUCTS_COUNT_MAX = 50;
/** Their JSON: half of an event, so that an order of long names still has room for everything else. */
export const PRODUCTS_LENGTH_MAX = 16 * KIB;
export const PRODUCT_TEXT_LENGTH_MAX = 200; // a product's name as shops write it; longer ones are descriptions
export const PRODUCT_NUMBER_MAX = 1_000_000_000; // a price in units of currency
export const PROPS_COUNT_MAX = 30;
export const PROP_KEY_LENGTH_MAX = 300;
export const PROP_VALUE_LENGTH_MAX = 2_000;
/** A day: engaged time beyond it is a broken clock. */
export const ENGAGEMENT_MS_MAX = 24 * HOUR_MS;
/** Ten-thousandths of a unit of currency: 1,000,000,000 units, some 40,000 dollars in the smallest of units. */
export const REVENUE_MAX = 10_000_000_000_000;
/**
 * Ten-thousandths of a piece: 1,000,000 pieces in one event. Units of a Day are then whole numbers,
 * however many events it has.
 */
export const ORDER_UNITS_MAX = 10_000_000_000;
/**
 * The largest sum that is stored (450,000,000,000 units of currency in one bucket); a larger one is stored as this.
 * Only forged hits add up to so much, and they must not stop a partition.
 */
export const COUNT_MAX = 2 ** 52 - 1;
/** 2000-01-01T00:00:00Z. Earlier instants are unset clocks, not visits. */
export const TIMESTAMP_MIN_MS = 946_684_800_000;
/** Clients' clocks run ahead by minutes; beyond this the event would sit in an hour that nobody can check yet. */
export const TIMESTAMP_AHEAD_MS = 10 * MINUTE_MS;

/**
 * A hit waits this long for others to share its call of a partition. A call takes 125 µs of CPU, a hit 90
 * (bench/ingest).
 */
export const COALESCE_MS = 3;
/** A request of more events is large: the collector, and then its partition, works on it a part at a time. */
export const LARGE_REQUEST_EVENTS = 100;
/**
 * Events of a part of a large request, which take 1 ms of work, and the pause before the next part, in which others are
 * answered. In one piece a request of 1,000 events took 56 ms. One lane alone reads at most 8,000 events a second in an
 * isolate, and a partition counts as many. What neighbours notice: docs/performance.md (Beside an attack).
 */
export const REQUEST_PART_EVENTS = 32;
export const REQUEST_PART_EVERY_MS = 4;
/**
 * How many parts of large requests wait at once in an isolate or a partition. A request of 1,000 events has 32 parts
 * and takes some 3 MB while it waits, so 15 such requests take 45 MB. One lane alone gets half of all parts.
 */
export const LARGE_REQUEST_PARTS_MAX = 500;
/** The longest that a part waits for its turn, if none comes late. */
export const LARGE_REQUEST_WAIT_MS_MAX = LARGE_REQUEST_PARTS_MAX * REQUEST_PART_EVERY_MS;
/**
 * A call that hits share is made at once when it has so many events, and a hit of more than the second number makes a
 * call of its own. A call of 100 events takes 1.5 ms.
 */
export const COALESCE_EVENTS_MAX = 100;
export const COALESCE_HIT_EVENTS_MAX = 20;
/** A hit that has waited so long for another's call makes its own. Far longer than a commit ever takes. */
export const COALESCE_PATIENCE_MS = 5_000;

/**
 * Accents behind one letter that are read; Unicode's Stream-Safe Text Format has as many. Putting 2,000 into their
 * order took 3 ms.
 */
export const MARKS_IN_ROW_MAX = 30;
/** Parameters of an address that are read, 0.5 µs each: an address of 2,048 characters has room for as many. */
export const QUERY_PARAMETERS_MAX = 200;
/**
 * Characters of an agent in which browser, system and device are looked for: an agent of 512 took 0.7 ms, an ordinary
 * one takes 0.02. What apps add behind it is looked for in all of it.
 */
export const AGENT_PARSED_LENGTH_MAX = 256;

/** Sites one request may name by their hostnames: Plausible's lists have a handful. */
export const SITES_NAMED_MAX = 20;
/** Hostnames that one isolate remembers with their streams, unknown ones included, about 150 B each. */
export const SITES_KEPT_MAX = 10_000;
/** A hostname that was given to another stream, or to its first, is known to all isolates after this. */
export const SITES_KEPT_MS = MINUTE_MS;
/** Streams of a merchant among which a request with an API key may choose by number; beyond, by tracking ID. */
export const KEY_STREAMS_MAX = 1_000;

// ── counting ──────────────────────────────────────────────────────────────────────────────────────────────────────
/** The longest pause inside one visit. A gap of exactly this does not split. */
export const VISIT_GAP_MS = 1_800_000;
/** Ids are compared with the neighbouring Day too when an event lies this near a midnight: a client that sets its clock
 *  between two sends moves the same event across it. */
export const DUPLICATE_EDGE_MS = HOUR_MS;
/** Values of one dimension in one rollup; the rest is added up as "(other)" and the rollup says that it was cut. */
export const DIMENSION_VALUES_MAX = 500;
/** A breakdown that is cut names values of at most so many bytes first, whose own bytes would all fit. */
export const DIMENSION_VALUE_BYTES = 128;
/**
 * Values with money of more currencies than this take half of DIMENSION_BYTES_MAX at most: one with all
 * that there are takes 8 KB.
 */
export const DIMENSION_CURRENCIES = 8;
/** Encoded bytes of one dimension of one rollup: 22 dimensions stay below `D1_ROW_BYTES_MAX`. */
export const DIMENSION_BYTES_MAX = 64 * KIB;
/** Precision (log2 of registers) of the sketch of all visitors: 0.81 % standard error, exact-like below 3,072. */
export const TOTAL_SKETCH_PRECISION = 14;
/** The same for one value of a dimension: 3.25 %, exact-like below 192. */
export const VALUE_SKETCH_PRECISION = 10;

// ── partition ─────────────────────────────────────────────────────────────────────────────────────────────────────
/**
 * An append waits this long for others to share its commit: a row and an fsync for all of them. The short wait is for
 * what comes together anyway; the long one gathers, at 45 hits a second, twelve to a row. Nobody looks at the answer of
 * a beacon, and no page waits for the tracker's: an event is written down before it is sent
 * (workers/collector/tracker/queue.ts).
 */
export const GROUP_COMMIT_MS = 5;
export const GROUP_COMMIT_LONG_MS = 250;
/** Enough events for a row: at 0.06 USD per million there is little left to gain. */
export const GROUP_COMMIT_EVENTS = 16;
/**
 * After so many long waits in a row that nobody joined, waits are short for so long: a server that sends one event
 * after the other loses a tenth of its pace, not nine tenths.
 */
export const GROUP_COMMIT_MISSES = 2;
export const GROUP_COMMIT_SHORT_FOR_MS = 4_000;
/**
 * Rows with which a table of the log is full at a checkpoint: making another costs two row writes, emptying
 * it as many as it has rows.
 */
export const LOG_SEGMENT_ROWS = 32;
/** Tables of the log at once. An archive that takes nothing for days would make one with each checkpoint. */
export const LOG_SEGMENTS_MAX = 1_000;
/** A log row; the platform allows 2 MB a row. */
export const LOG_ROW_BYTES_MAX = 1_000_000;
/** What a partition accepts and has not yet committed. Beyond it an append is refused and the collector overflows. */
export const UNCOMMITTED_BYTES_MAX = 8_000_000;
/**
 * One merchant's events that a partition takes per window; the rest overflows. A partition counts more than 50,000 a
 * second (7.4 ms for 1,000 in memory), so a flooding merchant leaves more than half of it to its neighbours. Windows of
 * 100 ms with a tenth of it made no difference to them (bench/flood at 20,000 a second, one after the other: 95th
 * percentile 65 and 74 ms), but 64 overflows instead of one.
 */
export const MERCHANT_EVENTS_PER_WINDOW_MAX = 20_000;
export const ADMISSION_WINDOW_MS = 1_000;
/**
 * What costs more than an ordinary event counts as several of them. Characters of an event, and characters of its
 * merchant's rules times its own, that take as long as an ordinary event, 20 µs, where they are made to be slow: 34,000
 * characters of patterns take 3.3 ms with an address of 2,048.
 */
export const ADMISSION_TEXT_LENGTH = 1_000;
export const ADMISSION_RULED_LENGTH = 400_000;
/** What a flood may do to its pool neighbours: with 20 times the events of all of them together beside them, the median
 *  wait for an acknowledgement grows by no more than this factor (measured 1.0 to 1.1, bench/flood). */
export const FLOOD_SLOWDOWN_MAX = 3;
/** Events after the last checkpoint: what a restart has to count again, 20 µs each. */
export const CHECKPOINT_EVENTS = 5_000;
/**
 * A checkpoint writes whole Days again, about 1.5 µs for each event they hold. So beyond this many events in memory it
 * is made more rarely, in proportion, up to the maximum: a restart then takes about a second.
 */
export const CHECKPOINT_STATE_EVENTS = 20_000;
export const CHECKPOINT_EVENTS_MAX = 50_000;
/** A quiet partition checkpoints this long after the last time while it has something to write: the platform evicts it
 *  after seconds without a request, and each return counts the log again. */
export const CHECKPOINT_AFTER_MS = 5 * MINUTE_MS;
/**
 * With fewer events than this since, it checkpoints right after a publish: an eviction would forget that it has
 * published.
 */
export const CHECKPOINT_QUIET_EVENTS = 500;
/** Shelves with about so many events are written in one turn, in which nobody is answered: 6 µs an event. */
export const CHECKPOINT_TURN_EVENTS = 5_000;
/** How often salts are looked through. */
export const FORGET_EVERY_MS = HOUR_MS;
/** Shelves (checkpoint rows) per Day: more make a late event cheaper to load, fewer make a checkpoint cheaper. */
export const SHELVES_PER_DAY = 16;
/** One part of a shelf's row; the platform allows 2 MB a row. */
export const SHELF_PART_BYTES_MAX = 1_500_000;
/**
 * Of a partition's open Days at least so many events are in memory before any leave it: below it there is room, and
 * nothing has to be read back. A shelf gives up at least so many at a time: fewer would be many small layers, and an id
 * is looked for in the filter of each.
 */
export const LAYER_LOADED_EVENTS = 30_000;
export const LAYER_EVENTS_MIN = 4_000;
/** With so many events a shelf gives up in any case: what one turn of a checkpoint writes of it stays short. */
export const LAYER_EVENTS_MAX = 15_000;
/**
 * Visitors leave memory who were last seen this long ago. Who comes back is counted as ever, whatever it is: it decides
 * how much is in memory, and how often an event looks up an outline (one row).
 */
export const LAYER_AFTER_MS = 5 * MINUTE_MS;
/** A row of a layer, about: what one look-up reads. */
export const LAYER_ROW_BYTES = 64_000;
/** One merchant's visits in one piece, as they are estimated in memory at rest: about a row on disk. */
export const LAYER_PIECE_BYTES = 200_000;
/**
 * Visits and orders that leave memory in one turn of a checkpoint, by the same estimate: 2,800 visitors. The others who
 * have gone leave with the next turns.
 */
export const LAYER_TURN_BYTES = 700_000;
/** When a whole Day is put together, visits beyond this are packed: a fifth of the memory, and twice the time. */
export const WHOLE_DAY_UNPACKED_BYTES = 8_000_000;
/**
 * Visitors who rest that a shelf keeps in memory, by the same estimate: 8,000. Each checkpoint of it copies them.
 * Beyond it those who were not seen since the checkpoint before leave at once.
 */
export const SHELF_RESTING_BYTES = 2_000_000;
/** A shelf that nobody touched for this long, and that is checkpointed and published, leaves memory. */
export const SHELF_IDLE_MS = HOUR_MS;
/** Raw bytes of one bundle. Compressed about five to one it fills a queue message. */
export const BUNDLE_BYTES = 480 * KIB;
/**
 * Unpacked text of a bundle: what is cut is measured in UTF-16 units and may overshoot by a log row; UTF-8 triples it.
 */
export const BUNDLE_TEXT_BYTES_MAX = 3 * (BUNDLE_BYTES + LOG_ROW_BYTES_MAX);
/** Bundles on their way to the archive; beyond it the drain waits. It is also what one drain sends. */
export const BUNDLES_UNCONFIRMED_MAX = 32;
/**
 * A bundle sent this often (75 minutes after the first time) and never confirmed is stuck: it is still sent again, but
 * no longer counts as on its way, so that poisoned bundles do not stop the ones behind them.
 */
export const BUNDLE_STUCK_SENDS = 5;
/** Bundles a partition remembers, stuck ones included, about 60 B each in its row of positions. An archive that takes
 *  nothing at all fills it in a week; until then the log only grows. */
export const BUNDLES_KEPT_MAX = 4_000;
/** A bundle that was not confirmed in this time is sent again; each further time after twice as long. */
export const RESEND_AFTER_MS = 5 * MINUTE_MS;
export const RESEND_MAX_MS = 6 * HOUR_MS;
/** Days one bundle may touch: each becomes an object, and a consumer has a bounded number of subrequests. */
export const BUNDLE_DAYS_MAX = 100;
/** Events wait this long for company before a bundle is cut (overridden by `DRAIN_AFTER_MS` in tests). */
export const DRAIN_AFTER_MS = 5 * MINUTE_MS;
/** Rollups are published at every quarter hour (no zone's hours start elsewhere) and this long after it, so that
 *  ordinary stragglers do not publish an hour twice. */
export const PUBLISH_EVERY_MS = 15 * MINUTE_MS;
export const PUBLISH_GRACE_MS = 90_000;
/**
 * Over so long after that, partitions take turns by the hash of their names: at the plan the 700,000 rows of
 * a full hour are then 1,200 a second, and not a herd. What is not published yet is in live counters, so
 * answers do not wait for it.
 */
export const PUBLISH_SPREAD_MS = 10 * MINUTE_MS;
/** Rollups written in one tick: one D1 batch, and no more bytes than a partition's memory can spare. */
export const PUBLISH_BATCH = 100;
export const PUBLISH_BATCH_BYTES = 4_000_000;
/** An event this much older than its arrival changes rollups that are closed. */
export const LATE_AFTER_MS = 2 * HOUR_MS;
/** So many closed rollups changed by late events are published at once: an import must not fill the memory. */
export const LATE_CHANGES_MAX = 400;
/**
 * Where Days take more than this (held.ts), some 5,000 visitors who are reading, each checkpoint packs the visitors of
 * the shelves that it writes, but for those who were seen since the checkpoint before: 150 B each instead of 1,130. Who
 * comes back is unpacked, so a checkpoint encodes those who came, and copies the others. Below it there is room, and
 * questions about today need not unpack them.
 */
export const REST_HELD_BYTES = 4_000_000;
/** Events whose Days a partition keeps in memory; beyond it, what is checkpointed and published leaves. */
export const LOADED_EVENTS_MAX = 400_000;
/**
 * What a partition may hold of open Days in memory, as it is estimated (core/counting/held.ts): the heap has half of it
 * where texts are long, and 1.03 times as much at most (bench/held). The isolate has 128 MB, for code, checkpoints,
 * rollups and the neighbours of the partition as well. What came without a key gets in while its merchant holds no more
 * than what is free: one merchant gets half of it, a second one half of what that leaves. Half of it are 50,000
 * visitors who are reading, or 230,000 events within an hour.
 */
export const HELD_BYTES_MAX = 80_000_000;
/** What came with a key, or was acknowledged before it reached the partition, gets in up to this, ... */
export const HELD_KEYED_BYTES_MAX = 96_000_000;
/** ... of one merchant up to this: 8 MB that what comes without a key cannot take. */
export const HELD_MERCHANT_KEYED_BYTES_MAX = HELD_BYTES_MAX / 2 + 8_000_000;
/**
 * A merchant that holds no more than this is never slowed for what others hold, until not even keys help: 300 visitors
 * who are reading, 1,000 who have gone. Hardly any merchant of a pool holds more.
 */
export const HELD_SMALL_BYTES = 256_000;
/**
 * When to come again, in seconds, is the time until the next checkpoint, within these: it packs visitors who have gone,
 * and while somebody is slowed it comes after CHECKPOINT_AFTER_MS at the latest.
 */
export const HELD_RETRY_SECONDS_MIN = 10;
export const HELD_RETRY_SECONDS_MAX = CHECKPOINT_AFTER_MS / 1_000;
/**
 * How often a partition that has traffic asks whose settings were changed (a change is also pushed): 256 of them are
 * four statements a second.
 */
export const SETTINGS_FRESH_MS = MINUTE_MS;
/** Merchants that one such statement names. */
export const SETTINGS_CHANGES_PAGE = 5_000;
/** Past this age what it knows is not used any more. */
export const SETTINGS_LEASE_MS = 15 * MINUTE_MS;
/**
 * A zone change takes effect at the first full hour at least this long after it was asked for: by then no partition
 * counts by a copy from before, not even an event of a clock that runs ahead.
 */
export const ZONE_NOTICE_MS = 30 * MINUTE_MS;
/** Changed rules take effect this long after they were asked for, for the same reason. */
export const RULES_NOTICE_MS = ZONE_NOTICE_MS;
/** And so does another spread: two partitions that disagree might both count an event. */
export const SPREAD_NOTICE_MS = ZONE_NOTICE_MS;
/**
 * Partitions of its own that a hot merchant gets at first. Doubling costs a Day each time; four take what four times
 * the pool's share of a partition is.
 */
export const SPREAD_FIRST = 4;
/** Partitions one merchant may have: questions ask each of them. */
export const SPREAD_MAX = 64;
/**
 * Changes of its spread that a merchant's settings remember, so that what is sent again goes where its first copy
 * went: one a week, and ...
 */
export const SPREAD_KEPT_MAX = 60;
/**
 * ... the oldest is forgotten when there are more, but none that began within this time: nobody sends an event again
 * after.
 */
export const SPREAD_KEPT_MS = 400 * 24 * HOUR_MS;
/**
 * A partition asks for a merchant to be spread that has so many events of a Day in it: sealing holds a merchant's Day
 * in memory (400,000 fit), and a merchant that grows by half from one Day to the next still fits.
 */
export const SPREAD_DAY_EVENTS = 200_000;
/**
 * Where fewer visitors sent them there is nothing to spread: a visitor's events are in one partition, and 200 events of
 * each are more than people leave.
 */
export const SPREAD_VISITORS_MIN = 1_000;
/** Or one that sends more than this in one ADMISSION_WINDOW_MS, half of what is taken, ... */
export const SPREAD_WINDOW_EVENTS = 10_000;
/**
 * ... in so many windows since it was last quiet for SPREAD_CALM_MS: a burst of some seconds is what queues are for.
 */
export const SPREAD_WINDOWS = 10;
export const SPREAD_CALM_MS = MINUTE_MS;
/**
 * A merchant gets fewer partitions again when each of so many Days would have fitted them, with half of
 * SPREAD_DAY_EVENTS in each; ...
 */
export const SPREAD_NARROW_DAYS = 7;
/** ... is looked at in one slot of the day, as long as the cron waits from run to run; ... */
export const SPREAD_NARROW_SLOT_MS = 5 * MINUTE_MS;
/** ... and only while no more changes than this are remembered, so that there is always room to spread it again. */
export const SPREAD_NARROW_KEPT_MAX = SPREAD_KEPT_MAX / 2;
/** A partition asks for the same merchant at most so often. */
export const SPREAD_ASK_EVERY_MS = 10 * MINUTE_MS;
/** Merchants that are not in the pool, as far as one isolate of the collector remembers them. */
export const SPREADS_KNOWN_MAX = 10_000;
/** Partitions a hit is sent to one after the other, each knowing better than the one before, until it overflows. */
export const PLACEMENTS_MAX = 3;
/** A cookieless salt is deleted this long after its Day began in UTC, or after it was made for a Day long past. */
export const SALT_KEPT_MS = 48 * HOUR_MS;
/** Failed background work is tried again after this, doubling up to the maximum. */
export const RETRY_MIN_MS = 1_000;
export const RETRY_MAX_MS = 5 * MINUTE_MS;

// ── the platform's own limits ─────────────────────────────────────────────────────────────────────────────────────
const QUEUE_MESSAGE_BYTES_MAX = 128_000;
/** Messages one sendBatch takes. */
export const QUEUE_BATCH_MESSAGES_MAX = 100;
/** Room for the platform's envelope. */
export const BUNDLE_MESSAGE_BYTES_MAX = 120_000;
/** Unpacked text of an overflow message: a whole request, and what escaping adds. */
export const OVERFLOW_TEXT_BYTES_MAX = 4 * REQUEST_BYTES_MAX;
/**
 * What overflows from one isolate within this time is one message: a queue takes 5,000 a second, the
 * plan's peak has 58,000 hits.
 */
export const OVERFLOW_GATHER_MS = 50;
/** Hits at which a message is sent at once; and the events of a hit that shares one. */
export const OVERFLOW_GATHER_PARTS_MAX = 200;
export const OVERFLOW_PART_EVENTS_MAX = 20;
/** A hit that has waited so long for another's message sends its own. Far longer than a queue and a note take. */
export const OVERFLOW_PATIENCE_MS = 10_000;
/**
 * So long a collector waits for D1 to note that something overflows, and so long it tries no more once that was too
 * long: D1 may be the reason why partitions take nothing.
 */
export const OVERFLOW_NOTE_MS = 1_000;
export const OVERFLOW_NOTE_PAUSE_MS = 10_000;
/** A note that comes after its message was delivered is kept out for so long: D1 has given up a statement by then. */
export const OVERFLOW_NOTES_DONE_MS = HOUR_MS;
/**
 * What was delivered from the overflow queue so long before partitions were asked counts as waiting still. Who delivers
 * and who asks have clocks of their own, which are apart by milliseconds.
 */
export const OVERFLOW_CLOCKS_APART_MS = 5_000;
/** Longer no queue keeps a message; what has become a dead letter by then is for the operator, who was alerted. */
export const OVERFLOW_NOTES_KEPT_MS = 14 * 24 * HOUR_MS;
/** One billed queue operation. */
export const QUEUE_OPERATION_BYTES = 64 * KIB;
const D1_ROW_BYTES_MAX = 2_000_000;
export const D1_PARAMETERS_MAX = 100;
/** D1s of numbers: 1 TB of an account at 7 GB each, and far below the 5,000 bindings of a Worker. */
export const LEDGERS_MAX = 128;
/** Subrequests of one invocation, and ms of CPU, as wrangler.toml asks for them: an export is one long request of the
 *  query Worker, a seal one long message of the background Worker. */
export const SUBREQUESTS_MAX = 10_000;
export const REQUEST_CPU_MS = 300_000;
/** Connections a Worker opens at once. */
export const CONNECTIONS_MAX = 6;
/** Merchants that are noted beside a bundle: at 11 characters each a quarter of what R2 keeps beside an object. */
export const BUNDLE_MERCHANTS_MAX = 200;
/**
 * Archived bytes of the bundles that make one run: some 50,000 page views, the rows that sealing or replaying a large
 * Day holds while it sorts them. A Day below it is sorted in memory at once.
 */
export const RUN_BYTES = 2_000_000;
/**
 * So many bundles of an open Day, or runs of one size, become a run: the fewer, the less is read, the more is written.
 */
export const RUN_FAN = 4;
/** Bundles of the largest run of an open Day, 20 MB: at the plan's density eleven a Day in a partition. */
export const RUN_BUNDLES_MAX = 256;
/** How long runs of a Day are made at a time: a consumer may run for 15 minutes. */
export const RUN_TURN_MS = 2 * MINUTE_MS;
/** Bytes of a run that are read at once: a merchant of size has a large part of it. */
export const RUN_READ_BYTES = 1_000_000;
/** Rows of one block of a run. Merging holds a block of each run: 5 million events are 100 runs, 50,000 rows. */
export const RUN_BLOCK_ROWS = 500;
/**
 * Rows of one sealed file, or those of one merchant where it has more: about 4 MB. The seal goes on after the last file
 * that was written.
 */
export const SEALED_FILE_ROWS = 100_000;
/** Rows of one Parquet row group: a small merchant then costs a few range reads
 *  (measured: 7 reads and 34 KB for 399 of 50,000 rows). */
export const ROW_GROUP_ROWS = 5_000;

// ── closing and sealing Days ──────────────────────────────────────────────────────────────────────────────────────
/**
 * A Day is closed this long after its midnight in UTC: it has ended in every zone (UTC-12 is the last, 36 hours after),
 * and half a day more has passed for stragglers. A late event then costs a replay instead of a place in memory.
 */
export const SEAL_AFTER_MS = 48 * HOUR_MS;
/**
 * Objects of closed Days that senders without a key may cause an hour: one address, and all together, of a merchant in
 * one partition. An object takes about four writes to R2 and five rows of D1, the new count included
 * (test/attack/late-days.test.ts prints them): some 2,000 writes an hour, one cent. A phone that was offline for a week
 * needs seven; those of a hot merchant have a budget in each of its partitions.
 */
export const LATE_OBJECTS_OF_SENDER_MAX = 120;
export const LATE_OBJECTS_OF_MERCHANT_MAX = 500;
/**
 * Bytes of the log in which events of one Day are taken for one object: the smallest bundle that is cut because it is
 * full.
 */
export const LATE_STRETCH_BYTES = 64 * KIB;
/**
 * Beyond the last LATE_DAYS_NEAR closed Days, so many Days of them: phones send of the near ones, and who sends of the
 * far ones is one who tries.
 */
export const LATE_DAYS_NEAR = 30;
export const LATE_DAYS_OF_SENDER_MAX = 32;
export const LATE_DAYS_OF_MERCHANT_MAX = 128;
/** And one request: what is more is refused whole. */
export const LATE_DAYS_OF_REQUEST_MAX = 40;
/**
 * A late Day is counted again in about so many seconds, which the next one of its merchant waits; six hours at most, of
 * the twelve that a queue may hold a message back.
 */
export const LATE_TURN_SECONDS = 2;
export const LATE_WAIT_SECONDS_MAX = 6 * 3_600;
/** Senders of late events that a partition tells apart within an hour, about 100 B each. */
export const LATE_SENDERS_KEPT_MAX = 10_000;
/** Late events of a Day are counted together, this long after the first of them: within the hour that is promised. */
export const LATE_COALESCE_MS = 15 * MINUTE_MS;
/**
 * Late bundles beside a Day's sealed files, by number and in proportion to the files' bytes: beyond either they are
 * sealed anew, below it only their merchants are counted again.
 */
export const LATE_BUNDLES_MAX = 32;
export const LATE_BYTES_SHARE = 0.1;
/** What a seal stands on is deleted this long after it: who reads bundles or an older generation is done by then. */
export const SEAL_GRACE_MS = 24 * HOUR_MS;
/** How far back the cron looks for closed Days that nobody has noted: what it was down for. */
export const SEAL_LOOKBACK_DAYS = 14;
/** Seals whose messages the cron sends at once. */
export const SEALS_SENT_MAX = 100;
/** Days left in rows that the cron sends at once to be packed. */
export const PACKS_SENT_MAX = 20;
/**
 * Packing that has run this long leaves the rest to the cron: a consumer has 5 minutes of CPU, and a
 * merchant's Day takes about 10 ms.
 */
export const PACK_TURN_MS = 2 * MINUTE_MS;
/** A seal that failed is tried again after this, twice as long each time, up to the maximum. */
export const SEAL_RETRY_MS = 5 * MINUTE_MS;
export const SEAL_RETRY_MAX_MS = 6 * HOUR_MS;
/** A seal that failed this often is in doubt: somebody should look. */
export const SEAL_ATTEMPTS_DOUBTFUL = 3;
/**
 * A seal that has run this long puts itself on the queue again and goes on there: a consumer may run for 15 minutes.
 */
export const SEAL_TURN_MS = 5 * MINUTE_MS;
/** Unarchived log a partition looks through to say whether a Day is complete; with more it says no. */
export const SEAL_BACKLOG_BUNDLES_MAX = 32;

// ── erasure and retention ─────────────────────────────────────────────────────────────────────────────────────────
/**
 * For how many days a merchant may have its events kept; its numbers stay. A closed list: the cron looks for the
 * Days that each of them ends.
 */
export const RETENTION_DAYS: readonly number[] = [30, 60, 90, 180, 365, 400, 730, 1_095];
/** Days one erasure may reach back, and (Day, partition)s it may have. */
export const ERASURE_PARTS_MAX = 20_000;
/**
 * Erasures a merchant may have under way: each looks at every Day of its partitions, neighbours included, and takes
 * three days. Some 60 requests a day; more visitors than that are erased a range of Days at a time.
 */
export const ERASURES_OF_MERCHANT_MAX = 200;
/** Erasures a partition remembers to have carried out, 20 B each: for those whose answer was lost on the way. */
export const ERASURES_KEPT_MAX = 1_000;
/** How far the clocks of two consumers may be apart, generously, where one looks at what the other has noted. */
export const CLOCKS_APART_MS = MINUTE_MS;
/** Erasures whose partitions the cron tells at once. */
export const ERASURES_DRIVEN_MAX = 20;

// ── exports ───────────────────────────────────────────────────────────────────────────────────────────────────────
/**
 * (Day, partition)s of one export, each four subrequests, and objects it reads: a year of a pool merchant's Days, or
 * ten weeks of one that is spread over four partitions.
 */
export const EXPORT_PLACES_MAX = 372;
export const EXPORT_OBJECTS_MAX = 8_000;
/**
 * Archived bytes one export reads: about ten million page views, which take 120 s (measured: 12 s a
 * million) of REQUEST_CPU_MS.
 */
export const EXPORT_BYTES_MAX = 400_000_000;
/**
 * Bytes of the bundles of one (Day, partition) that is not sealed yet. Each id of the merchant's is remembered while
 * they are read, in 8 to 21 B (IdSet, while it grows): 2.5 million page views in 50 MB. A sealed Day needs no ids
 * but those that came late.
 */
export const EXPORT_UNSEALED_BYTES_MAX = 100_000_000;
/**
 * Archived bytes that an export reads to see the visits that its filters look at, 30 s of CPU before the first byte is
 * sent. A Day of more than SCAN_DAY_ROWS_MAX rows is read several times: one of some 600,000 events fits.
 */
export const EXPORT_VISITS_BYTES_MAX = 100_000_000;
/** Steps that the filters of one export may take (core/query/budget.ts): 16 s at 10 ns. */
export const EXPORT_STEPS_MAX = 1_600_000_000;
/** Filters of an export as JSON in UTF-16 units: they stand in an address, of which the platform takes 16 KB. */
export const EXPORT_FILTERS_LENGTH_MAX = 4_096;
/**
 * Exports of a merchant that go on at once in an isolate: with 60 of them a neighbour's question waited for 5.5 s. The
 * place of one that sends nothing for so long is free again.
 */
export const EXPORTS_AT_ONCE_MAX = 2;
export const EXPORT_LEASE_MS = 30_000;
/** What a (Day, partition) of an export takes of a purse of reads (ASKER_READS_MAX): some 3 ms. */
export const EXPORT_PLACE_READS = 60;
/** Text is sent in pieces of about so many UTF-16 units. */
export const EXPORT_CHUNK_LENGTH = 65_536;

// ── replay ────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Days one job may span, and parts (Day × partition) it may have: a month of a pool of 256. */
export const REPLAY_DAYS_MAX = 400;
/** Days and rollups of them that are looked at before hostnames are allowed: enough to see a shop's own. */
export const RULES_LOOKED_BACK_DAYS = 7;
export const RULES_LOOKED_BACK_ROWS = 100;
/**
 * How long after its end a job's parts are kept, and what it keeps for an undo (ms). A mistake is seen
 * within a quarter of a year.
 */
export const REPLAY_KEPT_MS = 90 * 24 * 60 * MINUTE_MS;
/** Parts of old jobs that one run of the cron deletes, with what they kept: each may hold thousands of rows. */
export const REPLAY_PARTS_PRUNED = 20;
/** Days by which the dates of one instant in two zones may differ: from UTC-12 to UTC+14 is more than a Day. */
export const FOLDERS_APART_MAX = 2;
/** Zones of the past of one merchant that stand at once: they are in every copy of its settings. */
export const PAST_ZONES_MAX = 100;
export const REPLAY_PARTS_MAX = 10_000;
/** Merchants a job may name: with the rest of a statement they stay below D1_PARAMETERS_MAX. */
export const REPLAY_MERCHANTS_MAX = 80;
/** A backfill of goals that did not come to its end is not started again by itself for so long (ms). */
export const GOALS_RETRY_MS = 60 * MINUTE_MS;
/** A job's start that has not come to its end for so long (ms) is given up: its requests are over by then. */
export const REPLAY_START_STALE_MS = 5 * MINUTE_MS;
/** Parts of a job whose messages are under way at once; each part that ends sends another. */
export const REPLAY_PARTS_SENT_MAX = 50;
/** A part that was sent this long ago and has not ended is sent again: a consumer runs for 15 minutes at most. */
export const REPLAY_PART_STALE_MS = 16 * MINUTE_MS;
/** After which somebody whose jobs are too many may ask again: a job takes some ten seconds. */
export const JOBS_RETRY_SECONDS = 10;
/**
 * (Day, partition)s that jobs asked for through one share link may read within 24 hours, and through all links of a
 * merchant: a year of one partition ten times, about an hour of one consumer.
 */
export const LINK_JOB_PLACES_MAX = 4_000;
export const LINKS_JOB_PLACES_MAX = 2 * LINK_JOB_PLACES_MAX;
export const LINK_JOB_WINDOW_MS = 24 * HOUR_MS;
/**
 * A part of a link's job stands back so long while a job of a merchant's own is under way, again and
 * again until its job is so old.
 */
export const GUEST_JOB_PAUSE_SECONDS = 10;
export const GUEST_JOB_PATIENCE_MS = 30 * MINUTE_MS;
/** Deliveries after which a part that fails is left as failed, to be shown and tried again by hand. */
export const REPLAY_ATTEMPTS_MAX = 4;
/** Merchants whose stored rows of a Day are read in one go: 500 rows, a megabyte or two. */
export const REPLAY_MERCHANTS_READ = 20;
/**
 * Or fewer, when so many of their events were counted: their visits are held until they are compared, and D1's rows of
 * them beside those, each byte as a number of eight.
 */
export const REPLAY_READ_EVENTS = 10_000;
/** A replay looks ahead for merchants whose settings it needs: so many merchants, or rows, in one statement. */
export const REPLAY_AHEAD_MERCHANTS = 64;
export const REPLAY_AHEAD_ROWS = 10_000;
/** Merchants that one statement looks for rollups of: four lookups each, far below D1's 30 s. */
export const COUNTED_PAGE = 20_000;
/** Characters of all timelines that one job reads and may write again: a few times the longest. */
export const REPLAY_TIMELINES_LENGTH_MAX = 4_000_000;
/** Merchants whose rows an undo puts back in one transaction. */
export const REPLAY_UNDO_MERCHANTS = 50;
/** A rebuilt row's version lies this far behind the position it stands for: ahead of what a partition writes once more,
 *  behind the next event. A power of two, exact in a double up to positions of 8e12. */
export const REBUILD_VERSION_STEP = 1 / 1_024;
/**
 * Days of one block, by their number: blocks begin at its multiples. Ten take 6 KB each of a merchant with 1,000 events
 * a Day, one alone takes 10; thirty would take 5.5 (bench/blocks.ts).
 */
export const BLOCK_DAYS = 10;
/** One part of a block, before it is deflated: ten Days of six dimensions of 64 KiB are 4 MB. */
export const BLOCK_PART_BYTES_MAX = 16 * 1_024 * KIB;
/** A block as it is stored. D1 takes rows of 2 MB; a Day that would make its block larger stays in rows. */
export const BLOCK_BYTES_MAX = 1_500_000;
/**
 * Bytes of blocks that one statement reads, as they are stored: two characters of JSON each. Three years of pages of a
 * merchant with 10,000 events a Day are 3 MB.
 */
export const BLOCKS_READ_BYTES = 8_000_000;
/**
 * Blocks of one month file. Three are 30 Days: a question of a year reads 13 objects, and the ledger keeps 15 Days more
 * than it is told to. With one it would read 37, with nine the ledger would keep 45 Days more (decision 0023).
 */
export const MONTH_BLOCKS = 3;
/**
 * Parts of a month file that lie so close together are read at once. A read takes some 30 ms however small it is, in
 * which as many bytes come several times over.
 */
export const MONTH_GAP_BYTES = 64 * KIB;
/** Month files that are read at a time: a Worker has six connections. */
export const MONTH_FILES_READ_AT_ONCE = 6;
/** The index of a month file is shorter: three blocks' lists of ten numbers. */
export const MONTH_INDEX_BYTES = 4 * KIB;
/**
 * Blocks that one cron moves to month files, in all ledgers. A month of a merchant is a put of a Worker's 10,000
 * requests, and mostly three blocks.
 */
export const BLOCKS_MOVED_ONCE = 9_000;
/** Bytes of blocks that are moved together. Memory holds them three times: as hex, as bytes and in the files. */
export const MONTHS_MOVED_BYTES = 8 * 1_024 * KIB;
/** Months of merchants that are moved together: their five statements each are one transaction. */
export const MONTHS_MOVED_TOGETHER = 20;
/** The cron stops moving blocks after this long: it comes again in five minutes, and other steps share its Worker. */
export const MONTHS_TURN_MS = 2 * MINUTE_MS;
/** The setting says how many Days stay in the ledger. Fewer than these would move what is still being corrected. */
export const MONTHS_AFTER_DAYS_MIN = 10;
/**
 * A month file that no block refers to any more is kept for so long: as far back as D1's Time Travel can restore a
 * ledger that refers to it.
 */
export const MONTH_FILE_KEPT_MS = 31 * 24 * HOUR_MS;
/**
 * The same of a file with numbers of somebody who was erased, and of one that was begun and not finished. Whoever reads
 * or writes it is done by then: a Worker has 15 minutes.
 */
export const MONTH_FILE_ERASED_MS = HOUR_MS;
/** Month files that one cron deletes in a ledger. */
export const MONTH_FILES_DELETED_ONCE = 500;
/** Differences and failed parts that a job shows. */
export const REPLAY_LIST_MAX = 20;
/** Differences of a part that are kept in full; all are counted. */
export const REPLAY_SHOWN_MAX = 5;
/** Mismatching numbers shown of one difference. */
export const REPLAY_MISMATCHES_MAX = 8;

// ── notices to merchants ──────────────────────────────────────────────────────────────────────────────────────────
/** Earlier Days that an Hour is compared with. Two weeks have each weekday twice. */
export const NOTICE_DAYS_COMPARED = 14;
/**
 * A window for a spike or a drop is long enough when the one in the middle of the earlier Days has so many visitors.
 * With 20 there are three times as many false alarms (`npm run bench:alarms`).
 */
export const NOTICE_WINDOW_VISITORS_MIN = 30;
/** A spike is so many times the middle, a drop so small a part of it. */
export const TRAFFIC_FACTOR = 2;
/** Earlier Days that must be known: with less than a week of them no weekend has been seen. */
export const TRAFFIC_DAYS_MIN = 7;
/** Silent Hours that usually bring so many visitors are told of. By chance that is one silence in 22,000. */
export const SILENCE_VISITORS = 10;
/** Days before the silence that must be known. */
export const SILENCE_DAYS_MIN = 3;
/**
 * Orders that there usually are by the clock hour at which a missing first one is told. By chance one Day in 150 has
 * none.
 */
export const FIRST_ORDER_ORDERS = 5;
export const FIRST_ORDER_DAYS_MIN = 7;
/** An alarm is off when its rule has found nothing for so many Hours, so that it does not go on and off at the line. */
export const ALARM_CALM_HOURS = 2;
/** The local hour from which reports are sent, and over how many minutes they are spread by subscription. */
export const REPORT_HOUR = 7;
export const REPORT_SPREAD_MINUTES = 120;
/** Reports that one cron writes: five questions each, and a question reads some 60 rows of D1. */
export const REPORTS_TURN_MAX = 100;
/** When a report is tried again whose period is not complete, because hits wait to be counted. */
export const REPORT_AGAIN_MS = 15 * MINUTE_MS;
/** Rows of a list in a report, and rows among which the largest changes are looked for. */
export const REPORT_ROWS = 5;
export const REPORT_CHANGES = 3;
export const REPORT_ROWS_LOOKED_AT = 50;
/** A name in a notice is cut here: pages may have 2,048 characters. */
export const NOTICE_NAME_LENGTH_MAX = 80;
/**
 * When the alarms of an Hour are looked at, after its end: ten minutes, in which what was sent in time has come, and up
 * to half an hour more by merchant, so that a million of them are not looked at in one minute.
 */
export const LOOK_AFTER_MINUTES = 10;
export const LOOK_SPREAD_MINUTES = 30;
/** What became of the latest messages of a subscription is shown of so many. */
export const DELIVERIES_SHOWN_MAX = 50;
/** A link has an id of 28 characters, an act and 43 characters of a signature. */
export const NOTICE_LINK_LENGTH_MAX = 100;
/** The largest number that may be waited for; money in units of currency. */
export const TARGET_VALUE_MAX = 1_000_000_000_000;
/** Merchants whose alarms one cron looks at: two questions each, of some 400 rows. */
export const LOOKS_TURN_MAX = 100;
/** When a look is tried again, because hits wait to be counted. */
export const LOOK_AGAIN_MS = 5 * MINUTE_MS;
/** Days that are asked for their Hours: those that an Hour is compared with, and one more on each side of them. */
export const LOOK_DAYS = NOTICE_DAYS_COMPARED + 2;
/** Days before today of which it is told that they are in doubt. */
export const DOUBT_TOLD_DAYS = 30;
/** Subscriptions of a merchant: each member and some channels. Each may be a message for every alarm. */
export const SUBSCRIPTIONS_COUNT_MAX = 50;
/** Test messages of a subscription that wait because nobody takes them: each cron tries one. */
export const TESTS_WAITING_MAX = 5;
/**
 * Mails in 24 hours that ask addresses which are no member's, of one merchant: whoever gets one has asked for nothing,
 * and its subject has the merchant's name. Each may be another address, or another spelling of the same.
 */
export const CONFIRMATIONS_DAY_MAX = 20;
/** The longest address of mail has 254 characters; webhooks of Teams have some 400 in their address. */
export const TARGET_LENGTH_MAX = 1_000;
/** Discord takes 2,000 characters, the smallest of the chats; escaping adds some. */
export const NOTICE_CHAT_LENGTH_MAX = 1_500;
/** How long a receiver may take. Standard Webhooks recommends 15 to 30 seconds. */
export const OUTBOX_SEND_MS = 15_000;
/**
 * For how long an attempt keeps others from its message. It is longer than an attempt takes (names are looked up in as
 * much time again), so that only one that died is repeated.
 */
export const OUTBOX_LEASE_MS = 4 * MINUTE_MS;
/** A receiver may not put a message off for longer than the last of our own waits. */
export const OUTBOX_RETRY_AFTER_MAX_MS = 24 * HOUR_MS;
/**
 * Messages that one cron sends from a ledger. Each takes up to three requests and three statements, of the 10,000
 * subrequests of a call.
 */
export const OUTBOX_TURN_MAX = 500;
/** Subscriptions that a cron sends to at once: a Worker has six connections. */
export const OUTBOX_SENT_TOGETHER = 6;
/**
 * How long it is kept that a message was sent. Until then the same one is not sent again, even if the directory was
 * restored to an earlier instant: a month's report is made again within a month at most.
 */
export const OUTBOX_KEPT_MS = 100 * 24 * HOUR_MS;
/** For how long the secret of before a rotation signs too. */
export const WEBHOOK_ROTATION_MS = 24 * HOUR_MS;

// ── questions ─────────────────────────────────────────────────────────────────────────────────────────────────────
export const QUESTION_BYTES_MAX = 64 * KIB;
export const ADMIN_BYTES_MAX = 64 * KIB;
export const RESULTS_MAX = 10_000;
/** Names of goals in the refusal of one that is not there. */
export const GOALS_SHOWN_MAX = 20;
/** Runs of Days that an answer names as counted from events: more say nothing that the first do not. */
export const DAYS_SHOWN_MAX = 20;
/** Buckets one question may touch: ten years of Days, or 13 months of hours. */
export const BUCKETS_MAX = 10_000;
/** The Day before which a question's dates lie: 3000-01-01. Years of five digits are no dates in ISO 8601. */
export const QUESTION_DAY_MAX = 376_200;
/** Groups (time bucket × value) one answer may have before paging: about 100 MB with their sketches. */
export const GROUPS_MAX = 100_000;
/** Rollup rows read from D1 in one statement: many totals, or few rows with sketches and breakdowns (64 KiB each). */
export const ROLLUP_PAGE_ROWS = 1_000;
export const ROLLUP_PAGE_WIDE_ROWS = 200;
/** Stands for all merchants of a partition: no merchant has this number. */
export const ALL_MERCHANTS = 0;
/**
 * From the moment that a change of closed Days' numbers is announced to a partition, answers about the merchant are not
 * remembered for so long. A queue's consumer, which writes them, lives for 15 minutes at most, and D1 has given up a
 * statement long before the rest is over.
 */
export const CHANGE_TAKES_MS = HOUR_MS;
/** An answer is remembered only where its Days were closed so long ago: clocks of Workers and partitions differ. */
export const ANSWERS_CLOSED_MS = 10 * MINUTE_MS;
/** For how long an answer is remembered. What an erasure has taken is in no place's cache after that. */
export const ANSWERS_KEPT_MS = HOUR_MS;
/** Answers that an isolate remembers, in bytes: a shop's overview is 20 KB. A larger one is not remembered. */
export const ANSWERS_KEPT_BYTES = 8_000_000;
export const ANSWER_KEPT_BYTES_MAX = 200_000;
/** Rollup rows that an isolate remembers, in bytes: a quarter of its memory. A year of Days by page is 2 to 10 MB. */
export const BUCKETS_KEPT_BYTES = 32_000_000;
/**
 * What sealed Days came to for questions from events, which an isolate remembers, in bytes; and of one Day: the
 * sets of visitors of 60,000.
 */
export const SCAN_KEPT_BYTES = 16_000_000;
export const SCAN_KEPT_DAY_BYTES = 2_000_000;
/**
 * Rows and blocks that a statement is told of because the isolate has them: 30 B each. Eight years of one partition,
 * and few enough that they are found by looking through them.
 */
export const PIECES_KNOWN_MAX = 300;
/**
 * Entries of a question's filter tree, and how deep it nests; clauses of one entry. Each is looked at for each event.
 */
export const FILTERS_COUNT_MAX = 200;
export const FILTERS_DEPTH_MAX = 12;
export const FILTER_CLAUSES_MAX = 1_000;
/** A regular expression of a filter: its length in UTF-16 units, the instructions it becomes, a counted repetition. */
export const REGEX_LENGTH_MAX = 500;
export const REGEX_INSTRUCTIONS_MAX = 1_000;
export const REGEX_REPEAT_MAX = 100;
/**
 * Steps that one question may take beside reading its events, whatever it is made of (core/query/budget.ts): about a
 * second, 10 ns each. Nobody else is answered by an isolate meanwhile.
 */
export const QUESTION_STEPS_MAX = 80_000_000;
/**
 * And all questions of one asker, of one merchant, in an isolate at once, and by the second after that: who asks for
 * the dearest there is gets a tenth of an isolate's time, and all askers of a merchant together a fifth.
 */
export const ASKER_STEPS_MAX = 2 * QUESTION_STEPS_MAX;
export const ASKER_STEPS_PER_SECOND = QUESTION_STEPS_MAX / 10;
export const MERCHANT_STEPS_MAX = 2 * ASKER_STEPS_MAX;
export const MERCHANT_STEPS_PER_SECOND = 2 * ASKER_STEPS_PER_SECOND;
/** By a share link, which is passed on to anybody, an eighth of all that: a tenth of a second a question. */
export const LINK_STEPS_SHARE = 8;
/**
 * Events that one asker's questions may read, of one merchant's as many more: at 5 µs each (SCAN_EVENTS_MAX) eight of
 * the largest questions at once, and most of an isolate's time after that. Links have an eighth: one of the largest.
 */
export const ASKER_READS_MAX = 6_400_000;
export const ASKER_READS_PER_SECOND = 160_000;
/** What one event takes of the archive's bytes, where nobody has counted them (SCAN_BYTES_MAX). */
export const READ_BYTES = 40;
/**
 * A question gives way to others after so many events, about 10 ms at 50 µs each, or so many steps of 10
 * ns, whichever comes first.
 */
export const SLICE_EVENTS = 200;
export const SLICE_STEPS = 1_000_000;
/** Or so many rows that were read from the archive, 12 µs each. */
export const SLICE_ROWS = 1_000;
/**
 * A question through a share link waits so long for those before it, and for merchants' own, asking again this often.
 * Who counts is known for so long after a slice: of a guest whose client has gone until the lease is over, of a
 * merchant's own while it does not wait for R2.
 */
export const TURN_WAIT_MS_MAX = 10_000;
export const TURN_POLL_MS = 20;
export const TURN_LEASE_MS = 5_000;
export const TURN_OWN_MS = 50;
/** A rollup with a breakdown takes as long as so many events: 0.4 ms. */
export const ROLLUP_READS = 64;
/** Purses that an isolate keeps: one that has not been used longest is full again, as good as new. */
export const PURSES_KEPT_MAX = 10_000;
/** And how long reading and counting its events may take, waits included: what is longer is a job, or refused. */
export const QUESTION_MS_MAX = 25_000;
/** Dimensions of one question. */
export const DIMENSIONS_COUNT_MAX = 8;
/**
 * What a question may read of the archive while its asker waits: bytes of objects, about 1,000,000 page views; and
 * objects, of the platform's 1,000 subrequests, three for each sealed Day and one for each 5,000 events of it.
 */
export const SCAN_BYTES_MAX = 40_000_000;
export const SCAN_OBJECTS_MAX = 600;
/**
 * Rows that are counted at once: as columns a row takes about 200 B (measured: 25,000 and 60,000 rows, 170 B and what
 * is thought of them), and 0.8 s of a processor pass before so many are counted. A Day of one partition with more is
 * read several times, for some of its visitors each.
 */
export const SCAN_DAY_ROWS_MAX = 200_000;
export const SCAN_PASSES_MAX = 64;
/** What of them a pass is planned to have, as visitors are not spread evenly over passes. */
export const SCAN_PASS_FILLED = 0.8;
/**
 * Events that a question may count while its asker waits: a month of 25,000 a Day. They take 4 to 5 µs each where they
 * lie together (`npm run bench:scan`), so 3 to 4 s of a processor, in slices between which others are answered, of the
 * 300 s that a request may take (REQUEST_CPU_MS); where every file has a few of them, bytes and objects are the bound.
 */
export const SCAN_EVENTS_MAX = 800_000;
/**
 * A question that is too large for one request becomes a job of parts: (Day, partition)s of a part, and of all of them.
 * A part takes some 80 subrequests and seconds.
 */
export const JOB_PART_PLACES = 20;
export const JOB_PLACES_MAX = 4_000;
/** Jobs of one merchant that may be under way. */
export const JOBS_RUNNING_MAX = 5;
/** As many may be under way when a share link asks for one: who holds a link never takes the merchant's last ones. */
export const JOBS_RUNNING_SHARED_MAX = 3;
/** Deliveries after which a part that fails ends its job. */
export const JOB_ATTEMPTS_MAX = 4;
/** An answer is kept so long, and a job whose parts were sent so long ago is looked after by the cron. */
export const JOB_KEPT_MS = 7 * 24 * HOUR_MS;
export const JOB_STALE_MS = 16 * MINUTE_MS;
/**
 * How long a client may wait for an answer with its connection open (`Prefer: wait`), and how often it is looked for.
 */
export const JOB_WAIT_SECONDS_MAX = 25;
export const JOB_WAIT_EVERY_MS = 300;
/** Jobs that the cron sends again, or forgets, at a time. */
export const JOBS_DRIVEN_MAX = 20;
/** (Day, partition)s whose place in the archive one question may look up, two subrequests each: half a year of one
 *  partition. */
export const SCAN_PLACES_MAX = 200;
/** Unarchived log that a partition reads for a question, in bytes of text: some 30,000 events. */
export const RECENT_BYTES_MAX = 16_000_000;
/** Rows of one merchant that a partition's answer about its unarchived log may have: it crosses RPC as one value. */
export const RECENT_ROWS_MAX = 20_000;
/** Entries of all sets of visitors that one question may hold, about 60 B each. */
export const SCAN_VISITORS_MAX = 800_000;
/** Days whose events are counted once more for one proof: a month. */
export const PROOF_DAYS_MAX = 31;
/**
 * Different agents, networks, pages or referrers that are told apart among what was left out for one reason, while it
 * is counted: 9 reasons of 4 lists, 300 B a name, are 11 MB. Who sends made-up pages fills the list and no more.
 */
export const LEFT_OUT_NAMES_MAX = 1_000;
/** And of these the most frequent, in an answer. */
export const LEFT_OUT_SHOWN_MAX = 20;
/** Characters of one of these names. */
export const LEFT_OUT_NAME_LENGTH_MAX = 120;
/** Questions of one batch: an overview has ten or twelve panels, and a page twice as many. */
export const BATCH_QUESTIONS_MAX = 24;
/** Characters of the name of one of them. */
export const BATCH_NAME_LENGTH_MAX = 40;
/**
 * Events of one Day times questions that are counted in one pass: an event is in a set of visitors of each. After each
 * Day it is seen whether all sets together hold more than those of one question may, so they hold a quarter more.
 */
export const BATCH_EVENTS_MAX = SCAN_VISITORS_MAX / 4;
/** A question by the minute spans at most two Days and an hour of clock change. */
export const MINUTES_RANGE_MS_MAX = 49 * HOUR_MS;
/** Steps of a funnel, and the window that its first step opens: a day unless said, a month at most. */
export const FUNNEL_STEPS_MIN = 2;
export const FUNNEL_STEPS_MAX = 10;
export const FUNNEL_WINDOW_SECONDS = 24 * 3_600;
export const FUNNEL_WINDOW_SECONDS_MAX = 31 * FUNNEL_WINDOW_SECONDS;
/** Pages of a path unless said, and at most; different paths that are counted, about 200 B each. */
export const PATH_DEPTH = 3;
export const PATH_DEPTH_MAX = 10;
export const PATHS_MAX = 100_000;
/**
 * Orders of a list of the last ones, unless said and at most; the names of products and the pages that are told of
 * each. With pages of 2,000 characters the longest list is 2 MB, and a usual one 10 KB.
 */
export const ORDER_LIST = 20;
export const ORDER_LIST_MAX = 100;
export const ORDER_LIST_NAMES = 5;
export const ORDER_LIST_PAGES = 10;
/** Who was here in the last minutes is here now; and how far back one sees minute by minute. */
export const REALTIME_NOW_MINUTES = 5;
export const REALTIME_MINUTES = 30;
/**
 * So many visitors, orders and texts of a Day that are gone through for that take as long as one event: 0.2 to 1.2 µs
 * each.
 */
export const NOW_LOOKED_OF_READ = 6;
/** Pages, sources and orders that are shown of now. */
export const NOW_SHOWN_MAX = 10;
/** API keys that one isolate remembers with their merchants, about 1 KB each; the oldest are forgotten first. */
export const KEYS_KEPT_MAX = 10_000;
/** A key that was revoked still works this long in isolates that have seen it. */
export const KEYS_KEPT_MS = MINUTE_MS;
/** A key's last use is noted this often at most: a row write an hour and key. */
export const KEY_USE_NOTED_EVERY_MS = HOUR_MS;
/** Keys of one merchant. */
export const KEYS_COUNT_MAX = 1_000;
/** How long a rotated key's old secret stays good unless said, and at most: a month is time for any deploy. */
export const KEY_GRACE_SECONDS = 24 * 3_600;
export const KEY_GRACE_SECONDS_MAX = 30 * KEY_GRACE_SECONDS;
/** Members, open invites and share links of one merchant: each list is read whole. */
export const MEMBERS_COUNT_MAX = 100;
export const INVITES_COUNT_MAX = 100;
export const SHARES_COUNT_MAX = 100;
/** Origins whose pages may show a share link in a frame: they stand in a header of its document. */
export const SHARE_ORIGINS_MAX = 10;
/** Characters of one: a hostname has at most 253. */
export const SHARE_ORIGIN_LENGTH_MAX = 270;
/**
 * Segments of one merchant: 400 KB of filters, read whole; and how often one list of filters may name any, each of them
 * SHARE_FILTERS_LENGTH_MAX long.
 */
export const SEGMENTS_COUNT_MAX = 100;
export const SEGMENTS_NAMED_MAX = 20;
/** Saved views of one merchant: 400 KB of addresses, read whole; and the query part of one address. */
export const VIEWS_COUNT_MAX = 100;
/** Those that a member keeps for itself, beside the merchant's. */
export const OWN_VIEWS_COUNT_MAX = 50;
export const VIEW_SEARCH_LENGTH_MAX = 4_000;
/** Notes of one merchant, one a day for over five years; and the characters of one, which stand beside a chart. */
export const NOTES_COUNT_MAX = 2_000;
export const NOTE_LENGTH_MAX = 300;
/** Sessions that a list tells; and the characters of a User-Agent that are kept, which name browser and system. */
export const SESSIONS_LISTED_MAX = 100;
export const SESSION_AGENT_LENGTH_MAX = 300;
/** Merchants that one address is a member of. */
export const MEMBERSHIPS_COUNT_MAX = 100;
/** Of those, how many a page of the dashboard names at once: its document stays below 4 KB. */
export const DASHBOARD_SHOPS_NAMED_MAX = 8;
/** RFC 5321: what a path between angle brackets leaves. */
export const EMAIL_LENGTH_MAX = 254;
/**
 * In UTF-16 units. Long enough that guessing by the counter below is hopeless; the bound keeps the hash from hostile
 * sizes.
 */
export const PASSWORD_LENGTH_MIN = 10;
export const PASSWORD_LENGTH_MAX = 200;
/**
 * Credentials that were good within this time, and addresses that guess, as far as an isolate remembers them, about 100
 * B each.
 */
export const CREDENTIALS_KEPT_MS = HOUR_MS;
export const CREDENTIALS_KEPT_MAX = 10_000;
/** scrypt at the strength OWASP names for 16 MB of memory: about 160 ms. More memory comes near an isolate's 128 MB. */
export const PASSWORD_COST = { N: 16_384, r: 8, p: 5 } as const;
/**
 * Attempts to sign in under one name from one place in a quarter of an hour: a thousand a day. A place is a browser
 * that has signed in under the name before, or an address of the network.
 */
export const SIGN_IN_ATTEMPTS_MAX = 10;
export const SIGN_IN_PERIOD_SECONDS = 900;
/** And from one network of strangers: an IPv6 /48, an IPv4 /24. Whoever has a /48 has 65,536 places. */
export const SIGN_IN_NETWORK_MAX = 20;
/**
 * As many under one name from all places where nobody has signed in under it before are all judged; of the n-th
 * beyond them, one in n / SIGN_IN_STRANGERS_MAX, by lot: so the owner in a new browser gets through as often as
 * anybody who guesses. In a quarter of an hour 90 addresses that guess have 360 judged, a million of them 1,200
 * (scrypt: a fifth of one CPU).
 */
export const SIGN_IN_STRANGERS_MAX = 120;
/** When who was not drawn tries again: ten times within a minute. */
export const SIGN_IN_STRANGER_SECONDS = 5;
/** A browser is known for as long as browsers keep a cookie, for the last so many names that have signed in there. */
export const DEVICE_SECONDS = 400 * 24 * 3_600;
export const DEVICES_NAMED_MAX = 8;
/** A member signs in again after two weeks, and an invite is good for one. */
export const SESSION_MS = 14 * 24 * HOUR_MS;
export const INVITE_MS = 7 * 24 * HOUR_MS;
/** Ended sessions, invites and counters that the cron deletes at a time. */
export const SESSIONS_FORGET_ROWS = 500;
/** Filters of a share link as JSON, and how deep they nest. */
export const SHARE_FILTERS_LENGTH_MAX = 4_096;
export const SHARE_FILTERS_DEPTH_MAX = 12;
/** What an audit entry repeats of a request, as JSON; of a larger one only the names of its fields. */
export const AUDIT_DETAILS_LENGTH_MAX = 2_048;
/** Audit entries are kept so long, and the cron looks at so many of the oldest: 28,800 a day. */
export const AUDIT_KEPT_MS = 400 * 24 * HOUR_MS;
export const AUDIT_FORGET_ROWS = 100;
/**
 * Bytes that a merchant's own people and keys may add to the audit log in an isolate: so many at once, 20,000 acts
 * without details, and 4.3 MB a day after that. With less than half of them left details are left out. An entry takes
 * about so many bytes beside its details. Without it a key could write 2 GB a day, of D1's 10 GB.
 */
export const AUDIT_BYTES_MAX = 4_000_000;
export const AUDIT_BYTES_PER_SECOND = 50;
export const AUDIT_ENTRY_BYTES = 200;
/**
 * Replay jobs that a merchant itself may have under way: each reads whole Days of its partitions, neighbours included.
 */
export const REPLAYS_OF_MERCHANT_MAX = 2;
/** And may ask for in 24 hours: each may list the archive for each of its Days. */
export const REPLAYS_A_DAY_MAX = 50;
/**
 * Numbers that are tried before a merchant or stream gets one that nobody else claims at the same moment; and that are
 * passed over because something is stored under them.
 */
export const NUMBER_CLAIM_TRIES_MAX = 50;
/** Versions of one scope's rules, and erasures of one ledger: one a second for 68 years. */
export const CLAIMED_NUMBER_MAX = 2 ** 31 - 1;
/** How often the cron backs the directory up: what may be lost with it (docs/operate.md). */
export const BACKUP_EVERY_MS = HOUR_MS;
/** All backups of the last 48 hours are kept, and of each Day of the last 35 the first: 83, and their end is stated. */
export const BACKUPS_ALL_KEPT_MS = 48 * HOUR_MS;
export const BACKUPS_DAILY_KEPT_MS = 35 * 24 * HOUR_MS;
/**
 * Pages that one cron reads: half of the 1,000 statements that D1 takes from one call of a Worker, since the cron's
 * other steps ask as well. A million merchants take 14 crons, 70 minutes.
 */
export const BACKUP_PAGES_PER_CRON = 500;
/** Rows of a backup's object, which is held in memory whole: some MB where they are ordinary ones. */
export const BACKUP_ROWS = 2_000;
/** Of tables whose rows hold whole rules, of 64 KB at most each. */
export const BACKUP_ROWS_OF_RULES = 200;
/** Bytes that an object of a backup may unpack to: more than so many rows of the largest kind. */
export const BACKUP_OBJECT_BYTES_MAX = 64 * 1024 * 1024;
/**
 * How long a change of the directory waits for others before it is logged in R2: what a lost directory may lose. A put
 * each ten seconds is 1.17 USD a month at most, however many Workers change something.
 */
export const CHANGE_LOG_AFTER_MS = 10_000;
/** Changes of one object of that log: whole rows, of 64 KB at most each where they hold rules. */
export const CHANGES_LOGGED_ONCE = 200;
/** Objects that one call writes: four statements and puts each, of the 1,000 that a call of a Worker may make. */
export const CHANGES_PAGES_PER_CALL = 50;
/** Characters of rows that one statement of a recovery writes, of the 2 MB that D1 takes. */
export const RECOVERED_CHARACTERS = 500_000;
/** Merchants whose versions one statement of a recovery raises: two row writes each. */
export const RECOVERED_MERCHANTS = 10_000;
/**
 * By how much a recovery raises versions of settings and numbers of their changes: more than anybody can
 * have made between a backup and its recovery, so that partitions and fences take what was recovered for
 * newer than all they know.
 */
export const RECOVERED_STEP = 1_000_000;
/** Dates of the archive that one request of a ledger's recovery notes: two listings and a statement each. */
export const RECOVERED_DAYS = 60;
/** Sealed Days of each ledger whose files the doctor looks for. */
export const DOCTORED_DAYS = 4;
/** Entries of one page of an admin list. */
export const ADMIN_PAGE_MAX = 100;
/**
 * Dead letters handled in one request: each may take a subrequest for each Day of a bundle, of the platform's 1,000.
 */
export const DEAD_LETTERS_REDRIVEN_MAX = 8;
/** Requests to partitions that an admin answer has under way at once. */
export const ADMIN_FAN_OUT = 32;
/** A merchant's hostnames that may count, and the length of one (RFC 1035). */
export const HOSTNAMES_COUNT_MAX = 100;
export const HOSTNAME_LENGTH_MAX = 253;

// ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** A scope's rules as JSON, in UTF-16 units: they come in one admin body, beside a note. */
export const RULES_LENGTH_MAX = 60_000;
/**
 * All that a scope ever decided, as JSON in UTF-16 units: one row of D1 and of a partition, at three bytes each. Some
 * 300 changes of 2,000; no merchant's history may be forgotten, so the change after that is refused.
 */
export const RULE_TIMELINE_LENGTH_MAX = 600_000;
export const RULE_NOTE_LENGTH_MAX = 500;
/** Names that rules give: goals, channels, excluded addresses. */
export const RULE_NAME_LENGTH_MAX = 60;
export const PATTERN_LENGTH_MAX = 256;
/** Entries of one list of patterns, hosts or numbers: each is compared with each event. */
export const RULE_LIST_MAX = 500;
export const EXCLUSIONS_COUNT_MAX = 50;
export const CHANNEL_RULES_MAX = 50;
export const PAGE_RULES_MAX = 100;
export const QUERY_KEPT_MAX = 20;
/** Goals of one merchant: with four more they are the numbers of an event's place, whose count is stored in a byte. */
export const GOALS_COUNT_MAX = 50;
/** Verdicts of patterns on user agents that a partition remembers: agents repeat, 500 patterns take 50 µs. */
export const AGENT_VERDICTS_KEPT_MAX = 2_000;

/** Characters of what an operator tells of an incident at once: a few paragraphs. */
export const INCIDENT_TEXT_LENGTH_MAX = 2_000;

/** How many incidents are kept: the newest. */
export const INCIDENTS_MAX = 100;
/** How many texts of one incident are kept: the newest. */
export const INCIDENT_UPDATES_MAX = 50;
/** A status that is older says nothing about now: the cron, which makes it every five minutes, does not run. */
export const STATUS_OLD_MS = 15 * MINUTE_MS;
/**
 * How long /status is kept, by whoever asks and by the isolate that answers: it is two reads of R2, and anybody asks.
 */
export const STATUS_KEPT_MS = 30_000;
/** How often an isolate that answers looks whether numbers are late. It is two reads of R2: 3 USD a month of 200. */
export const STATUS_READ_EVERY_MS = 2 * MINUTE_MS;

/**
 * How often an isolate adds its counts of billable operations to a ledger. A thousand isolates that do so write three
 * million rows a month, 3 USD; what one has counted in its last quarter of an hour is lost with it.
 */
export const METER_KEPT_EVERY_MS = 15 * MINUTE_MS;

// ── rates ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** A published rate is used for so many Days after its own. The central bank leaves out at most five (Easter,
 *  Christmas): a week, and another one in which an operator sees that fetching fails. An older rate is a guess, and
 *  money without one is shown as that. */
export const RATE_AGE_DAYS_MAX = 14;
/** 1999-01-01: before it there was no euro, and no event can be earlier (TIMESTAMP_MIN_MS). */
export const RATE_DAY_MIN = 10_592;
/**
 * Digits of a rate before and after its point: one euro was 1,800,000 old Turkish lira, a rupiah is 0.0000571 euros.
 */
export const RATE_WHOLE_DIGITS_MAX = 9;
export const RATE_FRACTION_DIGITS_MAX = 12;
/** A file of rates, in UTF-16 units: the central bank's whole history as XML has about 8,000,000. */
export const RATE_FILE_LENGTH_MAX = 16_000_000;
/** Its Days: since 1999 there were 7,200 with rates. */
export const RATE_FILE_DAYS_MAX = 20_000;
/** Currencies of one Day: ISO 4217 has about 180. */
export const RATE_FILE_CURRENCIES_MAX = 200;
/** Days, or own rates, in one request: 100 Days of 31 currencies have 50 KB. */
export const RATES_SENT_MAX = 500;
/** Days that one statement writes: 500 B each, a quarter of what a parameter may have. */
export const RATE_DAYS_WRITTEN = 1_000;
/** A merchant's own rates: forty currencies each month for ten years. They are read whole, 60 B each. */
export const OWN_RATES_MAX = 5_000;
/** Days of published rates that an isolate remembers: four years, 3 KB each. A longer range is read and not kept. */
export const RATE_DAYS_KEPT_MAX = 1_500;
/** Merchants whose own rates an isolate remembers. */
export const OWN_RATES_KEPT_MAX = 100;
/** Days of two currencies whose rates were looked up and are remembered with their table, 100 B each: a long range is
 *  some 10,000. */
export const RATES_KNOWN_MAX = 20_000;
/** When rates are fetched, in ms after midnight in UTC: the central bank publishes at about 16:00 of its own time,
 *  14:00 or 15:00 in UTC. */
export const RATES_FETCHED_AT_MS = 16 * HOUR_MS;
/** How long a file of rates may take to come. */
export const RATES_FETCH_MS = 30_000;
/** Characters of a group's name, as identity providers have them (a UUID or a path). */
export const OPERATOR_GROUP_LENGTH_MAX = 200;
/** Operators of a deployment: they are listed in one answer. */
export const OPERATORS_COUNT_MAX = 200;
/**
 * How long a receiver of alerts may take to answer: there are two and a heartbeat in a cron, each perhaps for every
 * alert.
 */
export const TELL_TIMEOUT_MS = 5_000;
/** Currencies that a merchant had one after the other: they are in every copy of its settings. */
export const CURRENCY_PERIODS_MAX = 50;

assert(ID_LENGTH_MAX + URL_LENGTH_MAX * 2 < EVENT_BYTES_MAX, "an ordinary event fits EVENT_BYTES_MAX");
assert(PUBLISH_GRACE_MS + PUBLISH_SPREAD_MS < PUBLISH_EVERY_MS, "a partition publishes before the next quarter hour");
assert(2 * OUTBOX_SEND_MS < OUTBOX_LEASE_MS, "no attempt is repeated while it goes on");
assert(SETTINGS_LEASE_MS + TIMESTAMP_AHEAD_MS < ZONE_NOTICE_MS, "no partition counts by a zone that has ended");
assert(SETTINGS_LEASE_MS + TIMESTAMP_AHEAD_MS < RULES_NOTICE_MS, "no partition counts by rules that have ended");
assert(SETTINGS_LEASE_MS + TIMESTAMP_AHEAD_MS < SPREAD_NOTICE_MS, "no two partitions count one visitor's events");
assert(HELD_KEYED_BYTES_MAX > HELD_BYTES_MAX, "what came with a key has room that nobody else can take");
assert(HELD_MERCHANT_KEYED_BYTES_MAX > HELD_BYTES_MAX / 2, "a merchant's own server has room beside its pages");
assert(HELD_KEYED_BYTES_MAX < 128_000_000, "a partition leaves room in its isolate");
assert(SPREAD_WINDOW_EVENTS < MERCHANT_EVENTS_PER_WINDOW_MAX, "a merchant is spread before it is turned away");
assert(IMPORT_DAYS_MAX * '"2026-11-21":12345678,'.length < ADMIN_BYTES_MAX, "the Days of an import fit an admin body");
assert(RULES_LENGTH_MAX + 2 * RULE_NOTE_LENGTH_MAX < ADMIN_BYTES_MAX, "rules and their note fit an admin body");
assert(RULE_TIMELINE_LENGTH_MAX * 3 < D1_ROW_BYTES_MAX, "a timeline of rules fits a row");
assert(RATE_DAY_MIN * 24 * HOUR_MS <= TIMESTAMP_MIN_MS, "every event may have a rate of its Day");
assert(ORDER_UNITS_MAX * LOADED_EVENTS_MAX < COUNT_MAX, "units of as many events as fit in memory are a whole number");
assert(REVENUE_MAX < 2 ** 51, "money of one more event is added exactly (counting/takings.ts)");
assert(DIMENSION_VALUE_BYTES * DIMENSION_VALUES_MAX < DIMENSION_BYTES_MAX, "values that are not long fit a breakdown");
assert(GOALS_COUNT_MAX + 4 < 256, "a place with all goals fits its count");
assert(PRODUCTS_LENGTH_MAX * 2 <= EVENT_BYTES_MAX, "products leave room for the rest of an event");
assert(SITES_NAMED_MAX <= D1_PARAMETERS_MAX, "the sites of a request are one look-up");
assert(EVENT_BYTES_MAX < LOG_ROW_BYTES_MAX, "an event fits a log row");
assert(
  GROUP_COMMIT_MISSES * GROUP_COMMIT_LONG_MS * 8 <= GROUP_COMMIT_SHORT_FOR_MS,
  "who sends one event after the other loses little",
);
assert(GROUP_COMMIT_LONG_MS * 10 < COALESCE_PATIENCE_MS, "a commit never takes as long as hits are patient");
assert(EVENT_BYTES_MAX * 2 < BUNDLE_MESSAGE_BYTES_MAX, "an incompressible event fits a queue message");
assert(BUNDLE_MESSAGE_BYTES_MAX < QUEUE_MESSAGE_BYTES_MAX, "a bundle fits a queue message");
assert(LATE_DAYS_OF_MERCHANT_MAX <= LATE_OBJECTS_OF_MERCHANT_MAX, "every Day that may be sent of may have an object");
assert(LIMIT_EVENTS * 600 < LIMIT_BYTES, "usual events count by their number");
assert(REQUEST_EVENTS_MAX <= MERCHANT_EVENTS_PER_WINDOW_MAX, "a full request fits a merchant's share");
assert(
  REQUEST_EVENTS_MAX / REQUEST_PART_EVENTS <= LARGE_REQUEST_PARTS_MAX / 8,
  "of a lane beside two that are full a full request is taken",
);
assert(REQUEST_BYTES_MAX * 2 < UNCOMMITTED_BYTES_MAX, "a full request never alone overloads a partition");
assert(22 * DIMENSION_BYTES_MAX < D1_ROW_BYTES_MAX, "a rollup fits a D1 row");
assert(DEAD_LETTERS_REDRIVEN_MAX * (BUNDLE_DAYS_MAX + 3) < 1_000, "a page of dead letters fits a request");
assert(4 * EXPORT_PLACES_MAX + EXPORT_OBJECTS_MAX <= SUBREQUESTS_MAX - 30, "what an export reads fits a request");
assert((EXPORT_BYTES_MAX / 40) * 0.012 < REQUEST_CPU_MS, "an export's rows, 40 B and 12 µs each, fit a request's CPU");
assert(BUNDLES_KEPT_MAX * 100 < 2_000_000, "the cuts of all bundles fit a row");
assert(LINK_JOB_PLACES_MAX >= JOB_PLACES_MAX, "the largest job fits what a link may ask a day");
assert(ASKER_READS_MAX / LINK_STEPS_SHARE === SCAN_EVENTS_MAX, "a link may ask one of the largest questions at once");
assert(2 * SCAN_PLACES_MAX + SCAN_OBJECTS_MAX <= 1_000, "what a question reads fits a request's subrequests");
assert(REPLAY_MERCHANTS_MAX + 10 < D1_PARAMETERS_MAX, "the merchants of a replay fit one statement");
