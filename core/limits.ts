// Every bound that Footfall relies on: its value, its unit (last in the name) and its reason. No other file states a
// limit. Bounds that depend on each other are asserted together at the end. A change that breaks one of them fails
// every test at once.

import { assert } from "./outcome.ts";

const KIB = 1024;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

// ── what a client may send ────────────────────────────────────────────────────────────────────────────────────────
/** One request body. Browsers cap `sendBeacon` and `fetch(keepalive)` at 64 KiB; servers may batch ten times that. */
export const REQUEST_BYTES_MAX = 640 * KIB;
/** Events in one request: at about 600 B each they fill `REQUEST_BYTES_MAX`. */
export const REQUEST_EVENTS_MAX = 1_000;
/**
 * One event as canonical JSON. An event of this size fits a log row, a bundle and a queue message, even if it cannot be
 * compressed.
 */
export const EVENT_BYTES_MAX = 32 * KIB;
/**
 * The rate limits count 20 events of a request as one request. A full request of 1,000 events counts 50 times. An event
 * in a batch costs a twentieth of an event that comes alone.
 */
export const LIMIT_EVENTS = 20;
/**
 * The rate limits also count 16 KiB of a request as one request, and take the larger of the two counts. Twenty events
 * of the usual 600 B are smaller than this, so only large events count for more than their number. A full body counts
 * 40 times.
 */
export const LIMIT_BYTES = 16 * KIB;
/**
 * A provider gives one customer an IPv6 /48. It may send as much as 16 addresses may. It holds 65,536 networks of 64
 * bits, and each of those counts as one address. The collector counts one in 16 of its requests, chosen at random, for
 * the whole /48. So the limit of one address serves for the /48 too.
 */
export const LIMIT_NETWORK_ADDRESSES = 16;
/**
 * Requests for which the platform's counter is asked once. So it is never asked for the few hits of a visitor, and ten
 * times instead of a hundred for a full request of 1,000 events.
 */
export const LIMIT_REQUESTS = 10;
/** How often that counter is asked at once for one request: enough for 1,000 events. Others go on after the answer. */
export const COUNTED_AT_ONCE_MAX = 10;
/** Addresses, networks and tracking IDs whose requests an isolate counts at a time, some 100 B each. */
export const TENS_KEYS_MAX = 20_000;
/**
 * A made-up key counts as 20 requests, because it costs a look-up in the database. So does a hostname that is nobody's
 * site. An address may try 50 of them in 10 s.
 */
export const LIMIT_WRONG_KEY_BYTES = 20 * LIMIT_BYTES;
/**
 * An answer explains this many refused events of one code. For the others it gives only index and code. Without this
 * bound, a request of 22 KB once got an answer of 142 KB.
 */
export const REFUSALS_EXPLAINED_MAX = 5;
/**
 * How long a client that sent too much should wait. It is the period of the limits in wrangler.toml, which give their
 * reasons there. The platform counts in fixed windows, so after this time a new window has begun.
 */
export const RATE_LIMIT_PERIOD_SECONDS = 10;
export const ID_LENGTH_MAX = 128;
export const NAME_LENGTH_MAX = 120;
/** In UTF-16 units. Plausible and GA4 cut near here as well. Longer addresses carry session tokens and name no page. */
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
/** Days of one import, each with a count: almost seven years. They fit the body of an admin request. */
export const IMPORT_DAYS_MAX = 2_500;
/** How many kinds of outcome an import counts. */
export const IMPORT_TALLY_MAX = 100;
/** Imports that a merchant may begin in 24 hours. D1 keeps each with its Days, 40 KB at most. */
export const IMPORTS_A_DAY_MAX = 50;
/**
 * How many imports of files with the same beginning are compared, the latest first. A file that grew each night for
 * half a year has as many.
 */
export const IMPORTS_ALIKE_MAX = 200;
/** An import's number is a 32-bit signed integer in the archive. */
export const IMPORT_NUMBER_MAX = 0x7fff_ffff;
/** Rows of one table on one imported Day; smaller ones are added up. A shop with more pages a Day is very large. */
export const IMPORTED_ROWS_MAX = 5_000;
/** A value of an imported row: what an event's title may have. */
export const IMPORTED_VALUE_LENGTH_MAX = TITLE_LENGTH_MAX;
/** Imported rows that one request brings, and with them one row of D1 at least, which takes 2 MB. */
export const IMPORTED_BODY_BYTES_MAX = 1_500_000;
/**
 * Days that one request brings rows of. Each is a statement of one transaction, and a call of a Worker may make 1,000.
 */
export const IMPORTED_PART_DAYS_MAX = 400;
/** Imports of rollups that a merchant may have, taken back or not: each is with every question's merchant. */
export const IMPORTED_IMPORTS_MAX = 50;
/** What all of them take in the ledger: 1,500 rows a Day of some 10 B are 55 MB in ten years. */
export const IMPORTED_BYTES_MAX = 100_000_000;
/** The same in rows of its tables, by which one import is refused before it begins. */
export const IMPORTED_IMPORT_ROWS_MAX = 10_000_000;
/** Products of one event. A larger order loses the products beyond it and keeps its revenue. */
export const PRODUCTS_COUNT_MAX = 50;
/**
 * The JSON of an event's products. It is half of an event, so an order with long names still has room for everything
 * else.
 */
export const PRODUCTS_LENGTH_MAX = 16 * KIB;
export const PRODUCT_TEXT_LENGTH_MAX = 200; // a product's name as shops write it; longer ones are descriptions
export const PRODUCT_NUMBER_MAX = 1_000_000_000; // a price in units of currency
export const PROPS_COUNT_MAX = 30;
export const PROP_KEY_LENGTH_MAX = 300;
export const PROP_VALUE_LENGTH_MAX = 2_000;
/** One day. More engaged time than this comes from a broken clock. */
export const ENGAGEMENT_MS_MAX = 24 * HOUR_MS;
/**
 * Of what an event without a key tells, this much counts. Ten events of a day each would else double the time that ten
 * thousand visitors spent on a page.
 */
export const ENGAGEMENT_KEYLESS_MS_MAX = HOUR_MS;
/**
 * In ten-thousandths of a unit of currency: 1,000,000,000 units, or about 40,000 dollars in the currency with the
 * smallest unit.
 */
export const REVENUE_MAX = 10_000_000_000_000;
/**
 * In ten-thousandths of a piece: 1,000,000 pieces in one event. The sum of a Day is then a whole number that a double
 * holds exactly.
 */
export const ORDER_UNITS_MAX = 10_000_000_000;
/**
 * The largest sum that is stored: 450,000,000,000 units of currency in one bucket. A larger sum is stored as this one.
 * Only forged hits add up to so much, and they must not stop a partition.
 */
export const COUNT_MAX = 2 ** 52 - 1;
/** 2000-01-01T00:00:00Z. An earlier time comes from a clock that was never set. */
export const TIMESTAMP_MIN_MS = 946_684_800_000;
/**
 * Clients' clocks run ahead by minutes. An event further ahead would be counted in an hour that nobody can check yet.
 */
export const TIMESTAMP_AHEAD_MS = 10 * MINUTE_MS;

/**
 * A hit waits this long so that others share its call of a partition. A call takes 125 µs of CPU and a hit takes 90
 * (bench/ingest).
 */
export const COALESCE_MS = 3;
/** A request with more events is large. The collector, and then the partition, works on it in parts. */
export const LARGE_REQUEST_EVENTS = 100;
/**
 * Events in one part of a large request, which take 1 ms of work, and the pause before the next part. Others are
 * answered during the pause. A request of 1,000 events took 56 ms in one piece. An isolate reads at most 8,000 events a
 * second from one lane, and a partition counts as many. docs/performance.md (Beside an attack) says what neighbours
 * notice.
 */
export const REQUEST_PART_EVENTS = 32;
export const REQUEST_PART_EVERY_MS = 4;
/**
 * How many parts of large requests wait at once in an isolate or a partition. A request of 1,000 events has 32 parts
 * and takes about 3 MB while it waits, so 15 such requests take 45 MB. One lane gets half of all parts at most.
 */
export const LARGE_REQUEST_PARTS_MAX = 500;
/** The longest wait of a part, if every turn comes on time. */
export const LARGE_REQUEST_WAIT_MS_MAX = LARGE_REQUEST_PARTS_MAX * REQUEST_PART_EVERY_MS;
/**
 * A shared call is made at once when it has this many events. A hit with more events than the second number makes a
 * call of its own. A call of 100 events takes 1.5 ms.
 */
export const COALESCE_EVENTS_MAX = 100;
export const COALESCE_HIT_EVENTS_MAX = 20;
/** A hit that waited this long for another's call makes its own. No commit takes nearly so long. */
export const COALESCE_PATIENCE_MS = 5_000;

/**
 * How many accents behind one letter are read. Unicode's Stream-Safe Text Format allows as many. To sort 2,000 of them
 * took 3 ms.
 */
export const MARKS_IN_ROW_MAX = 30;
/** How many parameters of an address are read, at 0.5 µs each. An address of 2,048 characters has room for as many. */
export const QUERY_PARAMETERS_MAX = 200;
/**
 * Browser, system and device are looked for in this many characters of an agent. An agent of 512 characters took 0.7
 * ms; an ordinary one takes 0.02. Apps add their names at the end, so those are looked for in the whole agent.
 */
export const AGENT_PARSED_LENGTH_MAX = 256;

/** Sites that one request may name by hostname. Plausible's lists have a handful. */
export const SITES_NAMED_MAX = 20;
/** Hostnames that one isolate remembers with their streams, about 150 B each. Unknown hostnames count too. */
export const SITES_KEPT_MAX = 10_000;
/** When a hostname is proven for a stream, goes to another one or is taken away, all isolates know after this time. */
export const SITES_KEPT_MS = MINUTE_MS;
/**
 * Streams of one merchant, each with one hostname at most. A request with an API key chooses among all of them by
 * number, so each look-up of a key reads them: 1,000 rows of D1.
 */
export const STREAMS_COUNT_MAX = 1_000;

// ── counting ──────────────────────────────────────────────────────────────────────────────────────────────────────
/** The longest pause inside one visit. A gap of exactly this does not split. */
export const VISIT_GAP_MS = 1_800_000;
/**
 * An event this close to a midnight is also compared with the ids of the Day beyond it. A client that sets its clock
 * between two sends moves the same event across the midnight.
 */
export const DUPLICATE_EDGE_MS = HOUR_MS;
/** Values of one dimension in one rollup. All others are added up as "(other)", and the rollup says that it was cut. */
export const DIMENSION_VALUES_MAX = 500;
/** A breakdown that must be cut keeps values of at most this many bytes first. All of those would fit. */
export const DIMENSION_VALUE_BYTES = 128;
/**
 * Values with money in more currencies than this take at most half of DIMENSION_BYTES_MAX. One value with all
 * currencies there are takes 8 KB.
 */
export const DIMENSION_CURRENCIES = 8;
/** Encoded bytes of one dimension of one rollup: 22 dimensions stay below `D1_ROW_BYTES_MAX`. */
export const DIMENSION_BYTES_MAX = 64 * KIB;
/**
 * Precision (log2 of registers) of the sketch of all visitors: 0.81 % standard error, and exact in practice below
 * 3,072.
 */
export const TOTAL_SKETCH_PRECISION = 14;
/** The same for one value of a dimension: 3.25 % standard error, and exact in practice below 192. */
export const VALUE_SKETCH_PRECISION = 10;

// ── partition ─────────────────────────────────────────────────────────────────────────────────────────────────────
/**
 * An append waits this long so that others share its commit: one row and one fsync for all of them. The short wait is
 * for appends that come together anyway. The long wait gathers twelve appends into a row at 45 hits a second. Nobody
 * looks at the answer of a beacon, and no page waits for the tracker, which writes an event down before it sends it
 * (workers/collector/tracker/queue.ts).
 */
export const GROUP_COMMIT_MS = 5;
export const GROUP_COMMIT_LONG_MS = 250;
/** Enough events for a row. Rows cost 0.06 USD a million, so larger rows save little. */
export const GROUP_COMMIT_EVENTS = 16;
/**
 * After two long waits in a row that nobody joined, waits stay short for four seconds. A server that sends one event
 * after the other then loses a tenth of its pace instead of nine tenths.
 */
export const GROUP_COMMIT_MISSES = 2;
export const GROUP_COMMIT_SHORT_FOR_MS = 4_000;
/**
 * A checkpoint starts a new table of the log when the present one has this many rows. A new table costs two row writes.
 * To empty one costs as many writes as it has rows.
 */
export const LOG_SEGMENT_ROWS = 32;
/** Tables of the log at once. While the archive takes nothing, each checkpoint makes another one. */
export const LOG_SEGMENTS_MAX = 1_000;
/** One row of the log. The platform allows 2 MB a row. */
export const LOG_ROW_BYTES_MAX = 1_000_000;
/**
 * Bytes that a partition has accepted and not committed yet. Beyond this it refuses an append, and the collector
 * overflows.
 */
export const UNCOMMITTED_BYTES_MAX = 8_000_000;
/**
 * Events of one merchant that a partition takes per window. All others overflow. A partition counts more than 50,000
 * events a second (7.4 ms for 1,000 in memory), so a merchant that floods leaves more than half of it to its
 * neighbours. Windows of 100 ms with a tenth of the events made no difference to the neighbours (bench/flood at 20,000
 * a second, one after the other: 95th percentiles of 65 and 74 ms). They made 64 overflows instead of one.
 */
export const MERCHANT_EVENTS_PER_WINDOW_MAX = 20_000;
export const ADMISSION_WINDOW_MS = 1_000;
/**
 * An event that costs more than an ordinary one, which takes 20 µs, counts as several. The first number is in
 * characters of the event. The second is the characters of its merchant's rules times those of the event. That much
 * takes as long as an ordinary event when the text is made to be slow: 34,000 characters of patterns take 3.3 ms with
 * an address of 2,048.
 */
export const ADMISSION_TEXT_LENGTH = 1_000;
export const ADMISSION_RULED_LENGTH = 400_000;
/**
 * How much a flood may slow its neighbours in the pool. The flood sends 20 times as many events as all of them
 * together. The median wait for an acknowledgement may then grow by this factor at most (measured: 1.0 to 1.1,
 * bench/flood).
 */
export const FLOOD_SLOWDOWN_MAX = 3;
/** A checkpoint is due after this many events. A restart counts them again, at 20 µs each. */
export const CHECKPOINT_EVENTS = 5_000;
/**
 * A checkpoint writes whole Days again, at about 1.5 µs for each event in them. With more events in memory than this,
 * checkpoints become rarer in proportion, down to one in CHECKPOINT_EVENTS_MAX events. A restart then takes about a
 * second.
 */
export const CHECKPOINT_STATE_EVENTS = 20_000;
export const CHECKPOINT_EVENTS_MAX = 50_000;
/**
 * A quiet partition that has something to write makes a checkpoint this long after the last one. The platform evicts it
 * after some seconds without a request, and each time it comes back it counts the log again.
 */
export const CHECKPOINT_AFTER_MS = 5 * MINUTE_MS;
/**
 * With fewer new events than this, a partition makes a checkpoint right after it publishes. Otherwise an eviction would
 * make it forget that it has published.
 */
export const CHECKPOINT_QUIET_EVENTS = 500;
/**
 * One turn of a checkpoint writes shelves with about this many events, at 6 µs an event. The partition answers nobody
 * during a turn.
 */
export const CHECKPOINT_TURN_EVENTS = 5_000;
/** How often a partition looks for salts to delete. */
export const FORGET_EVERY_MS = HOUR_MS;
/**
 * Shelves (rows of a checkpoint) of one Day. With more of them a late event loads less; with fewer a checkpoint writes
 * less.
 */
export const SHELVES_PER_DAY = 16;
/** A shelf's row is split into pieces of this size. The platform allows 2 MB a row. */
export const SHELF_PART_BYTES_MAX = 1_500_000;
/**
 * Events of open Days leave memory only while a partition has more than this many there. Below it there is room, and
 * nothing must be read back. A shelf gives up at least LAYER_EVENTS_MIN at a time. Fewer would make many small layers,
 * and an id is looked for in the filter of each.
 */
export const LAYER_LOADED_EVENTS = 30_000;
export const LAYER_EVENTS_MIN = 4_000;
/** A shelf with this many events always gives some up, so that one turn of a checkpoint writes little of it. */
export const LAYER_EVENTS_MAX = 15_000;
/**
 * Visitors leave memory when they were last seen this long ago. It changes no number: a visitor who comes back is
 * counted as always. It decides how much is in memory, and how often an event looks up an outline (one row).
 */
export const LAYER_AFTER_MS = 5 * MINUTE_MS;
/** About one row of a layer: what one look-up reads. */
export const LAYER_ROW_BYTES = 64_000;
/** Visits of one merchant in one piece, by their estimated size at rest in memory. On disk that is about one row. */
export const LAYER_PIECE_BYTES = 200_000;
/**
 * Visits and orders that leave memory in one turn of a checkpoint, by the same estimate: 2,800 visitors. All others
 * leave with the next turns.
 */
export const LAYER_TURN_BYTES = 700_000;
/**
 * When a whole Day is put together, visits beyond this are packed. Packed visits take a fifth of the memory and twice
 * the time.
 */
export const WHOLE_DAY_UNPACKED_BYTES = 8_000_000;
/**
 * Resting visitors that a shelf keeps in memory, by the same estimate: 8,000. Each checkpoint of the shelf copies them.
 * Beyond this, visitors who were not seen since the last checkpoint leave at once.
 */
export const SHELF_RESTING_BYTES = 2_000_000;
/** A shelf leaves memory when nobody has touched it for this long and it is checkpointed and published. */
export const SHELF_IDLE_MS = HOUR_MS;
/** Raw bytes of one bundle. Compressed about five to one it fills a queue message. */
export const BUNDLE_BYTES = 480 * KIB;
/**
 * The unpacked text of a bundle. A cut is measured in UTF-16 units and may go over by one log row. UTF-8 takes up to
 * three bytes a unit.
 */
export const BUNDLE_TEXT_BYTES_MAX = 3 * (BUNDLE_BYTES + LOG_ROW_BYTES_MAX);
/** Bundles that are on their way to the archive. With more the drain waits. One drain sends as many. */
export const BUNDLES_UNCONFIRMED_MAX = 32;
/**
 * A bundle that was sent this often (75 minutes after the first time) and never confirmed is stuck. It is still sent
 * again, but it no longer counts as on its way. So a poisoned bundle does not stop the bundles behind it.
 */
export const BUNDLE_STUCK_SENDS = 5;
/**
 * Bundles that a partition remembers, about 60 B each in its row of positions. Stuck ones count too. An archive that
 * takes nothing fills it in a week; from then on the log grows until the archive works again.
 */
export const BUNDLES_KEPT_MAX = 4_000;
/** A bundle that was not confirmed after this time is sent again. Each further wait is twice as long. */
export const RESEND_AFTER_MS = 5 * MINUTE_MS;
export const RESEND_MAX_MS = 6 * HOUR_MS;
/** Days that one bundle may touch. Each becomes an object, and a consumer has a bounded number of subrequests. */
export const BUNDLE_DAYS_MAX = 100;
/** Events wait this long for others before a bundle is cut. Tests set `DRAIN_AFTER_MS` instead. */
export const DRAIN_AFTER_MS = 5 * MINUTE_MS;
/**
 * Rollups are published this long after each quarter hour. No zone's hours start at any other minute. The grace lets
 * ordinary late events come, so that an Hour is not published twice.
 */
export const PUBLISH_EVERY_MS = 15 * MINUTE_MS;
export const PUBLISH_GRACE_MS = 90_000;
/**
 * Partitions then take turns over this time, by the hash of their names. With the plan's traffic a full hour has
 * 700,000 rows. They are written at 1,200 a second instead of all at once. Answers do not wait, because live counters
 * have what is not published yet.
 */
export const PUBLISH_SPREAD_MS = 10 * MINUTE_MS;
/** Rollups written in one tick: one batch of D1, and no more bytes than a partition has memory for. */
export const PUBLISH_BATCH = 100;
export const PUBLISH_BATCH_BYTES = 4_000_000;
/** An event that comes this long after its time changes rollups that are closed. */
export const LATE_AFTER_MS = 2 * HOUR_MS;
/**
 * When late events have changed this many closed rollups, those are published at once. Otherwise an import would fill
 * the memory.
 */
export const LATE_CHANGES_MAX = 400;
/**
 * Days may hold this much (held.ts) before visitors are packed: about 5,000 visitors who are reading. Beyond it each
 * checkpoint packs the visitors of the shelves that it writes, except those who were seen since the last checkpoint. A
 * packed visitor takes 150 B instead of 1,130. One who comes back is unpacked. So a checkpoint encodes those who came
 * and copies the others. Below this there is room, and questions about today need not unpack anybody.
 */
export const REST_HELD_BYTES = 4_000_000;
/** Events whose Days a partition keeps in memory. Beyond it, Days that are checkpointed and published leave. */
export const LOADED_EVENTS_MAX = 400_000;
/**
 * What a partition may hold of open Days in memory, by an estimate (core/counting/held.ts). The heap really has half of
 * it where texts are long, and 1.03 times as much at most (bench/held). The isolate has 128 MB, also for code,
 * checkpoints, rollups and the neighbours of the partition. Events without a key are taken while their merchant holds
 * no more than is still free: so one merchant gets half of it, and a second one gets half of the rest. That half is
 * 50,000 visitors who are reading, or 230,000 events within an hour.
 */
export const HELD_BYTES_MAX = 80_000_000;
/** Events with a key, or acknowledged before they reached the partition, are taken up to this. */
export const HELD_KEYED_BYTES_MAX = 96_000_000;
/** The same events of one merchant are taken up to this. It has 8 MB that events without a key cannot take. */
export const HELD_MERCHANT_KEYED_BYTES_MAX = HELD_BYTES_MAX / 2 + 8_000_000;
/**
 * A merchant that holds no more than this is not slowed for what others hold, until even events with a key are refused.
 * It is 300 visitors who are reading, or 1,000 who have gone. Hardly any merchant of a pool holds more.
 */
export const HELD_SMALL_BYTES = 256_000;
/**
 * A slowed sender is told to come again after the next checkpoint, within these bounds. The checkpoint packs visitors
 * who have gone. While somebody is slowed it comes after CHECKPOINT_AFTER_MS at the latest.
 */
export const HELD_RETRY_SECONDS_MIN = 10;
export const HELD_RETRY_SECONDS_MAX = CHECKPOINT_AFTER_MS / 1_000;
/**
 * How often a partition with traffic asks whose settings were changed. A change is pushed to it as well. 256 partitions
 * make four statements a second.
 */
export const SETTINGS_FRESH_MS = MINUTE_MS;
/** Merchants that one such statement returns. */
export const SETTINGS_CHANGES_PAGE = 5_000;
/** A partition does not use settings that it confirmed longer ago than this. */
export const SETTINGS_LEASE_MS = 15 * MINUTE_MS;
/**
 * A new zone takes effect at the first full hour that is at least this long after the request. By then no partition
 * counts by an older copy, not even an event of a clock that runs ahead.
 */
export const ZONE_NOTICE_MS = 30 * MINUTE_MS;
/** Changed rules take effect this long after the request, for the same reason. */
export const RULES_NOTICE_MS = ZONE_NOTICE_MS;
/** So does another spread. Otherwise two partitions that disagree might both count an event. */
export const SPREAD_NOTICE_MS = ZONE_NOTICE_MS;
/**
 * A hot merchant gets this many partitions of its own at first. To double them takes one Day each time. Four partitions
 * take four times what the merchant's share of one in the pool is.
 */
export const SPREAD_FIRST = 4;
/** Partitions that one merchant may have. A question asks each of them. */
export const SPREAD_MAX = 64;
/**
 * Changes of its spread that a merchant's settings remember: one a week. An event that is sent again must go where its
 * first copy went.
 */
export const SPREAD_KEPT_MAX = 60;
/**
 * Beyond that number the oldest change is forgotten, but none that began within this time. After it nobody sends an
 * event again.
 */
export const SPREAD_KEPT_MS = 400 * 24 * HOUR_MS;
/**
 * A partition asks for a merchant to be spread that has this many events of one Day in it. Sealing holds a merchant's
 * Day in memory, where 400,000 fit. So a merchant that grows by half from one Day to the next still fits.
 */
export const SPREAD_DAY_EVENTS = 200_000;
/**
 * With fewer visitors there is nothing to spread, because all events of a visitor are in one partition. People leave
 * far fewer than 200 events each.
 */
export const SPREAD_VISITORS_MIN = 1_000;
/**
 * A partition also asks for a merchant that sends more than this in one ADMISSION_WINDOW_MS. It is half of what is
 * taken.
 */
export const SPREAD_WINDOW_EVENTS = 10_000;
/**
 * It asks when the merchant did so in this many windows since it was last quiet for SPREAD_CALM_MS. Queues are there
 * for a burst of some seconds.
 */
export const SPREAD_WINDOWS = 10;
export const SPREAD_CALM_MS = MINUTE_MS;
/**
 * A merchant gets fewer partitions again when each of the last seven Days would have fitted them, with half of
 * SPREAD_DAY_EVENTS in each.
 */
export const SPREAD_NARROW_DAYS = 7;
/** The cron looks at each merchant in one slot of the day. A slot is as long as the cron's pause. */
export const SPREAD_NARROW_SLOT_MS = 5 * MINUTE_MS;
/**
 * A merchant with more remembered changes than this gets no fewer partitions, so that there is always room to spread it
 * again.
 */
export const SPREAD_NARROW_KEPT_MAX = SPREAD_KEPT_MAX / 2;
/** A partition asks for the same merchant this often at most. */
export const SPREAD_ASK_EVERY_MS = 10 * MINUTE_MS;
/** Spread merchants that one isolate of the collector remembers. */
export const SPREADS_KNOWN_MAX = 10_000;
/**
 * A hit is sent to this many partitions, one after the other, until it overflows. Each knows better than the one before
 * where the hit belongs.
 */
export const PLACEMENTS_MAX = 3;
/**
 * A cookieless salt is deleted this long after its Day began in UTC. A salt made for a Day long past is deleted this
 * long after it was made.
 */
export const SALT_KEPT_MS = 48 * HOUR_MS;
/** Failed background work is tried again after this. The wait doubles up to the maximum. */
export const RETRY_MIN_MS = 1_000;
export const RETRY_MAX_MS = 5 * MINUTE_MS;

// ── the platform's own limits ─────────────────────────────────────────────────────────────────────────────────────
const QUEUE_MESSAGE_BYTES_MAX = 128_000;
/** Messages that one sendBatch takes. */
export const QUEUE_BATCH_MESSAGES_MAX = 100;
/** A bundle's message. It leaves room for the platform's envelope. */
export const BUNDLE_MESSAGE_BYTES_MAX = 120_000;
/** The unpacked text of an overflow message: a whole request, and the characters that escaping adds. */
export const OVERFLOW_TEXT_BYTES_MAX = 4 * REQUEST_BYTES_MAX;
/**
 * Hits that overflow from one isolate within this time become one message. A queue takes 5,000 messages a second, and
 * the plan's peak has 58,000 hits.
 */
export const OVERFLOW_GATHER_MS = 50;
/**
 * With this many hits a message is sent at once. A hit shares a message if it has no more events than the second
 * number.
 */
export const OVERFLOW_GATHER_PARTS_MAX = 200;
export const OVERFLOW_PART_EVENTS_MAX = 20;
/** A hit that waited this long for another's message sends its own. A queue and a note together take far less. */
export const OVERFLOW_PATIENCE_MS = 10_000;
/**
 * A collector waits this long for D1 to note that something overflows. When D1 takes longer, the collector tries no
 * more for the second time: D1 may be the reason why partitions take nothing.
 */
export const OVERFLOW_NOTE_MS = 1_000;
export const OVERFLOW_NOTE_PAUSE_MS = 10_000;
/**
 * A note that comes after its message was delivered is ignored for this long. By then D1 has given up the statement.
 */
export const OVERFLOW_NOTES_DONE_MS = HOUR_MS;
/**
 * An overflow message that was delivered this shortly before partitions were asked still counts as waiting. The
 * consumer that delivers and the Worker that asks have clocks of their own, which differ by milliseconds.
 */
export const OVERFLOW_CLOCKS_APART_MS = 5_000;
/** No queue keeps a message longer. A message that became a dead letter by then is the operator's, who was alerted. */
export const OVERFLOW_NOTES_KEPT_MS = 14 * 24 * HOUR_MS;
/** One queue operation on the bill. */
export const QUEUE_OPERATION_BYTES = 64 * KIB;
const D1_ROW_BYTES_MAX = 2_000_000;
export const D1_PARAMETERS_MAX = 100;
/** Databases of numbers. An account has 1 TB, at 7 GB each. A Worker may have 5,000 bindings, far more. */
export const LEDGERS_MAX = 128;
/**
 * Subrequests and ms of CPU of one invocation, as wrangler.toml asks for them. An export is one long request of the
 * query Worker; a seal is one long message of the background Worker.
 */
export const SUBREQUESTS_MAX = 10_000;
export const REQUEST_CPU_MS = 300_000;
/** Connections that a Worker has open at once. */
export const CONNECTIONS_MAX = 6;
/**
 * Merchants that are noted beside a bundle. At 11 characters each they take a quarter of the metadata that R2 keeps
 * with an object.
 */
export const BUNDLE_MERCHANTS_MAX = 200;
/**
 * Archived bytes of the bundles that make one run: about 50,000 page views. Sealing or replaying a large Day holds
 * their rows while it sorts them. A smaller Day is sorted in memory at once.
 */
export const RUN_BYTES = 2_000_000;
/**
 * This many bundles of an open Day, or runs of one size, become a larger run. With a smaller number less is read and
 * more is written.
 */
export const RUN_FAN = 4;
/**
 * Bundles of the largest run of an open Day: 20 MB. With the plan's traffic a partition makes eleven such runs a Day.
 */
export const RUN_BUNDLES_MAX = 256;
/** How long a consumer makes runs of a Day in one turn. It may run for 15 minutes. */
export const RUN_TURN_MS = 2 * MINUTE_MS;
/** Bytes of a run that are read at once. A large merchant has much of a run. */
export const RUN_READ_BYTES = 1_000_000;
/** Rows of one block of a run. Merging holds one block of each run: 5 million events are 100 runs and 50,000 rows. */
export const RUN_BLOCK_ROWS = 500;
/**
 * Rows of one sealed file, about 4 MB. A merchant with more rows has them in one file all the same. An interrupted seal
 * goes on after the last file that was written.
 */
export const SEALED_FILE_ROWS = 100_000;
/**
 * Rows of one Parquet row group. A small merchant then takes few range reads (measured: 7 reads and 34 KB for 399 of
 * 50,000 rows).
 */
export const ROW_GROUP_ROWS = 5_000;

// ── closing and sealing Days ──────────────────────────────────────────────────────────────────────────────────────
/**
 * A Day is closed this long after its midnight in UTC. By then it has ended in every zone (UTC-12 is the last, after 36
 * hours), and late events had another half day. A later event costs a replay instead of memory.
 */
export const SEAL_AFTER_MS = 48 * HOUR_MS;
/**
 * Objects of closed Days that senders without a key may cause in an hour: one address, and all addresses together, for
 * one merchant in one partition. An object takes about four writes of R2 and five rows of D1, the new count included
 * (test/attack/late-days.test.ts prints them). That makes about 2,000 writes an hour, or one cent. A phone that was
 * offline for a week needs seven objects. A spread merchant has this budget in each of its partitions.
 */
export const LATE_OBJECTS_OF_SENDER_MAX = 120;
export const LATE_OBJECTS_OF_MERCHANT_MAX = 500;
/**
 * Events of one Day within this many bytes of the log count as one object. It is the size of the smallest bundle that
 * is cut because it is full.
 */
export const LATE_STRETCH_BYTES = 64 * KIB;
/**
 * The last 30 closed Days are near. Beyond them a sender, and all senders of a merchant, may name this many Days.
 * Phones send late events of near Days; a sender of many far Days is trying something.
 */
export const LATE_DAYS_NEAR = 30;
export const LATE_DAYS_OF_SENDER_MAX = 32;
export const LATE_DAYS_OF_MERCHANT_MAX = 128;
/**
 * An event of a closed Day costs what a hundred of today cost, so of each merchant and closed Day a request without a
 * key counts for its address as the five requests that are as many events. The budgets above are of one merchant; this
 * bounds an address that sends for thousands of them.
 */
export const LATE_REQUESTS = 100 / LIMIT_EVENTS;
/** Far Days in one request. A request with more is refused as a whole. */
export const LATE_DAYS_OF_REQUEST_MAX = 40;
/**
 * To count a late Day again takes about two seconds, and the next late Day of the merchant waits as long. The wait is
 * six hours at most; a queue may hold a message back for twelve.
 */
export const LATE_TURN_SECONDS = 2;
export const LATE_WAIT_SECONDS_MAX = 6 * 3_600;
/** Senders of late events that a partition tells apart within an hour, about 100 B each. */
export const LATE_SENDERS_KEPT_MAX = 10_000;
/** Late events of a Day are counted together, this long after the first of them. The promise is one hour. */
export const LATE_COALESCE_MS = 15 * MINUTE_MS;
/**
 * How many late bundles may lie beside a Day's sealed files, and their share of the files' bytes. Beyond either bound
 * the Day is sealed again. Below both, only the merchants of the late bundles are counted again.
 */
export const LATE_BUNDLES_MAX = 32;
export const LATE_BYTES_SHARE = 0.1;
/** Bundles and older generations are deleted this long after a seal. By then nobody reads them any more. */
export const SEAL_GRACE_MS = 24 * HOUR_MS;
/** How far back the cron looks for closed Days that nobody has noted, because it was down. */
export const SEAL_LOOKBACK_DAYS = 14;
/** Seals that the cron starts at once. */
export const SEALS_SENT_MAX = 100;
/** Days still in rows that the cron sends to be packed at once. */
export const PACKS_SENT_MAX = 20;
/**
 * After this long, packing leaves the rest to the cron. A consumer has 5 minutes of CPU, and a merchant's Day takes
 * about 10 ms.
 */
export const PACK_TURN_MS = 2 * MINUTE_MS;
/** A failed seal is tried again after this. The wait doubles up to the maximum. */
export const SEAL_RETRY_MS = 5 * MINUTE_MS;
export const SEAL_RETRY_MAX_MS = 6 * HOUR_MS;
/** A seal that failed this often is in doubt, and somebody should look. */
export const SEAL_ATTEMPTS_DOUBTFUL = 3;
/** A seal that has run this long sends itself a message and goes on there. A consumer may run for 15 minutes. */
export const SEAL_TURN_MS = 5 * MINUTE_MS;
/** Bundles of unarchived log that a partition looks through to say whether a Day is complete. With more it says no. */
export const SEAL_BACKLOG_BUNDLES_MAX = 32;

// ── erasure and retention ─────────────────────────────────────────────────────────────────────────────────────────
/**
 * For how many days a merchant may have its events kept. Its numbers stay. The list is closed, because the cron looks
 * for the Days that end with each entry.
 */
export const RETENTION_DAYS: readonly number[] = [30, 60, 90, 180, 365, 400, 730, 1_095];
/** Days that one erasure may reach back, and the (Day, partition) pairs that it may have. */
export const ERASURE_PARTS_MAX = 20_000;
/**
 * Erasures of one merchant that may run at once. Each looks at every Day of the merchant's partitions, neighbours
 * included, and takes three days. That allows about 60 requests a day. A merchant with more of them erases a range of
 * Days at a time.
 */
export const ERASURES_OF_MERCHANT_MAX = 200;
/**
 * Finished erasures that a partition remembers, 20 B each. It repeats its answer for them if the first answer was lost.
 */
export const ERASURES_KEPT_MAX = 1_000;
/** How far the clocks of two consumers may differ, with room to spare, when one looks at what the other noted. */
export const CLOCKS_APART_MS = MINUTE_MS;
/** Erasures that the cron tells to their partitions at once. */
export const ERASURES_DRIVEN_MAX = 20;

// ── exports ───────────────────────────────────────────────────────────────────────────────────────────────────────
/**
 * Places of one export, four subrequests each, and the objects that it reads. It is a year of Days for a pool merchant,
 * or ten weeks for one that is spread over four partitions.
 */
export const EXPORT_PLACES_MAX = 372;
export const EXPORT_OBJECTS_MAX = 8_000;
/**
 * Archived bytes that one export reads: about ten million page views. They take 120 s of REQUEST_CPU_MS (measured: 12 s
 * a million).
 */
export const EXPORT_BYTES_MAX = 400_000_000;
/**
 * Bytes of the bundles of one place that is not sealed yet. The export remembers each of the merchant's ids while it
 * reads them, in 8 to 21 B each (IdSet, while it grows): 2.5 million page views take 50 MB. A sealed Day needs only the
 * ids that came late.
 */
export const EXPORT_UNSEALED_BYTES_MAX = 100_000_000;
/**
 * Archived bytes that an export reads to know the visits for its filters: 30 s of CPU before the first byte is sent. A
 * Day of more than SCAN_DAY_ROWS_MAX rows is read several times; a Day of about 600,000 events fits.
 */
export const EXPORT_VISITS_BYTES_MAX = 100_000_000;
/** Steps that the filters of one export may take (core/query/budget.ts): 16 s at 10 ns each. */
export const EXPORT_STEPS_MAX = 1_600_000_000;
/** Filters of an export as JSON, in UTF-16 units. They are part of an address, and the platform takes 16 KB of it. */
export const EXPORT_FILTERS_LENGTH_MAX = 4_096;
/**
 * Exports of one merchant that run at once in an isolate. With 60 of them a neighbour's question waited for 5.5 s. An
 * export that sends nothing for the second time makes room for another.
 */
export const EXPORTS_AT_ONCE_MAX = 2;
export const EXPORT_LEASE_MS = 30_000;
/** Text is sent in pieces of about this many UTF-16 units. */
export const EXPORT_CHUNK_LENGTH = 65_536;

// ── replay ────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Days that one job may span. REPLAY_PARTS_MAX bounds its parts (Day × partition): a month of a pool of 256. */
export const REPLAY_DAYS_MAX = 400;
/**
 * Days, and rollups of them, that are searched for a shop's own hostnames before a list of allowed hostnames is
 * accepted.
 */
export const RULES_LOOKED_BACK_DAYS = 7;
export const RULES_LOOKED_BACK_ROWS = 100;
/** How long a finished job's parts are kept, with what an undo needs. A mistake is seen within a quarter of a year. */
export const REPLAY_KEPT_MS = 90 * 24 * 60 * MINUTE_MS;
/** Parts of old jobs that one run of the cron deletes, with what they kept. Each may hold thousands of rows. */
export const REPLAY_PARTS_PRUNED = 20;
/** The dates of one instant in two zones may differ by this many Days: from UTC-12 to UTC+14 is more than one Day. */
export const FOLDERS_APART_MAX = 2;
/** Zones of the past that one merchant may have. Every copy of its settings contains them. */
export const PAST_ZONES_MAX = 100;
export const REPLAY_PARTS_MAX = 10_000;
/** Merchants that a job may name. With the rest of a statement they stay below D1_PARAMETERS_MAX. */
export const REPLAY_MERCHANTS_MAX = 80;
/** After an unfinished backfill of goals, this long passes before it is started again by itself. */
export const GOALS_RETRY_MS = 60 * MINUTE_MS;
/** A job whose start has not finished after this long is given up. Its requests are over by then. */
export const REPLAY_START_STALE_MS = 5 * MINUTE_MS;
/** Parts of a job whose messages are under way at once. Each part that ends sends another. */
export const REPLAY_PARTS_SENT_MAX = 50;
/** A part that was sent this long ago and has not ended is sent again. A consumer runs for 15 minutes at most. */
export const REPLAY_PART_STALE_MS = 16 * MINUTE_MS;
/** When somebody with too many jobs may ask again. A job takes about ten seconds. */
export const JOBS_RETRY_SECONDS = 10;
/**
 * Places that jobs of one share link may read within 24 hours, and jobs of all links of a merchant. The first is a year
 * of one partition ten times, or about an hour of one consumer.
 */
export const LINK_JOB_PLACES_MAX = 4_000;
export const LINKS_JOB_PLACES_MAX = 2 * LINK_JOB_PLACES_MAX;
export const LINK_JOB_WINDOW_MS = 24 * HOUR_MS;
/**
 * A part of a link's job waits this long while a job of the merchant's own runs. It waits again and again until its job
 * is as old as the second time.
 */
export const GUEST_JOB_PAUSE_SECONDS = 10;
export const GUEST_JOB_PATIENCE_MS = 30 * MINUTE_MS;
/** A part that fails is delivered this often. Then it stays as failed; it is shown, and can be tried again by hand. */
export const REPLAY_ATTEMPTS_MAX = 4;
/** Merchants whose stored rows of a Day are read at once: 500 rows, one or two megabytes. */
export const REPLAY_MERCHANTS_READ = 20;
/**
 * Fewer merchants are read when this many of their events were counted. Their visits stay in memory until they are
 * compared, and so do their rows of D1, in which each byte is a number of eight bytes.
 */
export const REPLAY_READ_EVENTS = 10_000;
/** A replay reads ahead the settings of merchants that it will need: this many merchants, or rows, in one statement. */
export const REPLAY_AHEAD_MERCHANTS = 64;
export const REPLAY_AHEAD_ROWS = 10_000;
/** Merchants for which one statement looks for rollups. Each takes four look-ups, far below D1's 30 s. */
export const COUNTED_PAGE = 20_000;
/** Characters of all timelines that one job reads and may write again: a few times the longest one. */
export const REPLAY_TIMELINES_LENGTH_MAX = 4_000_000;
/** Merchants whose rows an undo puts back in one transaction. */
export const REPLAY_UNDO_MERCHANTS = 50;
/**
 * How far the version of a rebuilt row lies behind the position that it stands for. It is ahead of what a partition
 * writes again, and behind the next event. It is a power of two, so a double holds it exactly up to positions of 8e12.
 */
export const REBUILD_VERSION_STEP = 1 / 1_024;
/**
 * Days of one block. A block begins at a multiple of it. A merchant with 1,000 events a Day takes 6 KB a Day in blocks
 * of ten, 10 KB in blocks of one, and would take 5.5 KB in blocks of thirty (bench/blocks.ts).
 */
export const BLOCK_DAYS = 10;
/** One section of a block before it is deflated. Ten Days of six dimensions of 64 KiB are 4 MB. */
export const BLOCK_PART_BYTES_MAX = 16 * 1_024 * KIB;
/** A block as it is stored. D1 takes rows of 2 MB. A Day that would make its block larger stays in rows. */
export const BLOCK_BYTES_MAX = 1_500_000;
/**
 * Bytes of stored blocks that one statement reads; each byte is two characters of JSON. Three years of pages of a
 * merchant with 10,000 events a Day are 3 MB.
 */
export const BLOCKS_READ_BYTES = 8_000_000;
/**
 * Blocks of one month file. Three are 30 Days. A question about a year then reads 13 objects, and the ledger keeps up
 * to 15 Days more than the setting says. With one block it would read 37 objects; with nine the ledger would keep 45
 * Days more (decision 0023).
 */
export const MONTH_BLOCKS = 3;
/**
 * Pieces of a month file that lie this close together are read at once. A read takes about 30 ms however small it is,
 * and many times as many bytes could be read meanwhile.
 */
export const MONTH_GAP_BYTES = 64 * KIB;
/** Month files that are read at the same time. A Worker has six connections. */
export const MONTH_FILES_READ_AT_ONCE = 6;
/** The most bytes of a month file's index: three blocks' lists of ten numbers are shorter. */
export const MONTH_INDEX_BYTES = 4 * KIB;
/**
 * Blocks that one cron moves to month files, in all ledgers. Each month of a merchant takes one put of a Worker's
 * 10,000 subrequests, and has mostly three blocks.
 */
export const BLOCKS_MOVED_ONCE = 9_000;
/** Bytes of blocks that are moved together. Memory holds them three times: as hex, as bytes and in the files. */
export const MONTHS_MOVED_BYTES = 8 * 1_024 * KIB;
/** Months of merchants that are moved together. The five statements of each run in one transaction. */
export const MONTHS_MOVED_TOGETHER = 20;
/**
 * The cron stops moving blocks after this long. It comes again in five minutes, and its other steps need the same
 * Worker.
 */
export const MONTHS_TURN_MS = 2 * MINUTE_MS;
/**
 * The least value of the setting that says how many Days stay in the ledger. With a lower one, Days that are still
 * being corrected would move.
 */
export const MONTHS_AFTER_DAYS_MIN = 10;
/**
 * How long a month file is kept that no block refers to any more. D1's Time Travel can restore a ledger that refers to
 * it for as long.
 */
export const MONTH_FILE_KEPT_MS = 31 * 24 * HOUR_MS;
/**
 * How long such a file is kept if it has numbers of somebody who was erased, or was begun and not finished. Whoever
 * reads or writes it is done by then: a Worker has 15 minutes.
 */
export const MONTH_FILE_ERASED_MS = HOUR_MS;
/** Month files that one cron deletes in one ledger. */
export const MONTH_FILES_DELETED_ONCE = 500;
/** Differences and failed parts that a job shows. */
export const REPLAY_LIST_MAX = 20;
/** Differences of a part that are kept in full. All are counted. */
export const REPLAY_SHOWN_MAX = 5;
/** Numbers of one difference that are shown. */
export const REPLAY_MISMATCHES_MAX = 8;

// ── notices to merchants ──────────────────────────────────────────────────────────────────────────────────────────
/** Earlier Days that an Hour is compared with. Two weeks have each weekday twice. */
export const NOTICE_DAYS_COMPARED = 14;
/**
 * A window for a spike or a drop is long enough if it has this many visitors in the median of the earlier Days. With 20
 * there are three times as many false alarms (`npm run bench:alarms`).
 */
export const NOTICE_WINDOW_VISITORS_MIN = 30;
/** A spike has at least twice the median, a drop at most half of it. */
export const TRAFFIC_FACTOR = 2;
/** Earlier Days that must be known. Less than a week of them has no weekend. */
export const TRAFFIC_DAYS_MIN = 7;
/** Silent Hours are told if they usually bring this many visitors. One silence in 22,000 happens by chance. */
export const SILENCE_VISITORS = 10;
/** Days before the silence that must be known. */
export const SILENCE_DAYS_MIN = 3;
/**
 * A missing first order is told at the clock hour by which there usually are this many orders. By chance one Day in 150
 * has none by then.
 */
export const FIRST_ORDER_ORDERS = 5;
export const FIRST_ORDER_DAYS_MIN = 7;
/**
 * An alarm goes off when its rule has found nothing for this many Hours. So it does not switch on and off near its
 * bound.
 */
export const ALARM_CALM_HOURS = 2;
/** Reports are sent from this local hour on. They are spread over so many minutes by subscription. */
export const REPORT_HOUR = 7;
export const REPORT_SPREAD_MINUTES = 120;
/** Reports that one cron writes. Each takes five questions, and a question reads about 60 rows of D1. */
export const REPORTS_TURN_MAX = 100;
/** A report is tried again after this when hits of its period still wait to be counted. */
export const REPORT_AGAIN_MS = 15 * MINUTE_MS;
/** Rows of a list in a report, changes in it, and rows among which the largest changes are looked for. */
export const REPORT_ROWS = 5;
export const REPORT_CHANGES = 3;
export const REPORT_ROWS_LOOKED_AT = 50;
/** Names in a notice are cut to this length. A page may have 2,048 characters. */
export const NOTICE_NAME_LENGTH_MAX = 80;
/**
 * Alarms of an Hour are looked at ten minutes after its end, when all that was sent in time has come. Merchants are
 * spread over another half hour, so that a million of them are not looked at in one minute.
 */
export const LOOK_AFTER_MINUTES = 10;
export const LOOK_SPREAD_MINUTES = 30;
/** Latest messages of a subscription whose outcome is shown. */
export const DELIVERIES_SHOWN_MAX = 50;
/** Characters of a link: an id of 28, an act, and a signature of 43. */
export const NOTICE_LINK_LENGTH_MAX = 100;
/** The largest goal of a subscription. Money is in units of currency. */
export const TARGET_VALUE_MAX = 1_000_000_000_000;
/** Merchants whose alarms one cron looks at. Each takes two questions of about 400 rows. */
export const LOOKS_TURN_MAX = 100;
/** A look is tried again after this when hits still wait to be counted. */
export const LOOK_AGAIN_MS = 5 * MINUTE_MS;
/** Days whose Hours a look asks for: those that an Hour is compared with, and one more on each side. */
export const LOOK_DAYS = NOTICE_DAYS_COMPARED + 2;
/** A preview of alarms goes through this many Days, today among them. */
export const ALARM_PREVIEW_DAYS = 30;
/** Days whose Hours it asks for: what the first of them is compared with, and two more to find alarms that were on. */
export const ALARM_PREVIEW_FROM_DAYS = ALARM_PREVIEW_DAYS + 2 + LOOK_DAYS;
/** How long a subscription may be paused for. */
export const SUBSCRIPTION_PAUSE_MAX_MS = 366 * 24 * HOUR_MS;
/** A merchant is told of Days in doubt this far back. */
export const DOUBT_TOLD_DAYS = 30;
/** Subscriptions of one merchant: its members and some channels. Each may be a message for every alarm. */
export const SUBSCRIPTIONS_COUNT_MAX = 50;
/** Test messages of one subscription that may wait because the receiver takes none. Each cron tries one. */
export const TESTS_WAITING_MAX = 5;
/**
 * Mails of one merchant in 24 hours that ask an address to confirm. Whoever gets one has asked for
 * nothing, and its subject has the merchant's name. Each may go to another address, or to another spelling of the same
 * one.
 */
export const CONFIRMATIONS_DAY_MAX = 20;
/** The longest address of mail has 254 characters. A webhook of Teams has about 400. */
export const TARGET_LENGTH_MAX = 1_000;
/** Discord takes 2,000 characters, the fewest of all chats. Escaping adds some. */
export const NOTICE_CHAT_LENGTH_MAX = 1_500;
/** How long a receiver may take. Standard Webhooks recommends 15 to 30 seconds. */
export const OUTBOX_SEND_MS = 15_000;
/**
 * How long an attempt keeps its message from others. An attempt takes less, although looking a name up may take as long
 * as sending. So only an attempt that died is repeated.
 */
export const OUTBOX_LEASE_MS = 4 * MINUTE_MS;
/** A receiver may put a message off for this long. It is as long as the last of our own waits. */
export const OUTBOX_RETRY_AFTER_MAX_MS = 24 * HOUR_MS;
/**
 * Messages that one cron sends from a ledger. Each takes up to three requests and three statements, and a call has
 * 10,000 subrequests.
 */
export const OUTBOX_TURN_MAX = 500;
/** Subscriptions that a cron sends to at once. A Worker has six connections. */
export const OUTBOX_SENT_TOGETHER = 6;
/**
 * How long Footfall remembers that it sent a message, so as not to send it again, even after the directory was restored
 * to an earlier instant. A month's report is made again within a month at most.
 */
export const OUTBOX_KEPT_MS = 100 * 24 * HOUR_MS;
/** How long the former secret of a webhook signs too, after a rotation. */
export const WEBHOOK_ROTATION_MS = 24 * HOUR_MS;

// ── questions ─────────────────────────────────────────────────────────────────────────────────────────────────────
export const QUESTION_BYTES_MAX = 64 * KIB;
export const ADMIN_BYTES_MAX = 64 * KIB;
export const RESULTS_MAX = 10_000;
/** When a goal does not exist, the refusal names this many of those that do. */
export const GOALS_SHOWN_MAX = 20;
/** Runs of Days that an answer names as counted from events. More of them would say nothing new. */
export const DAYS_SHOWN_MAX = 20;
/** Buckets that one question may touch: ten years of Days, or 13 months of Hours. */
export const BUCKETS_MAX = 10_000;
/** Of a visit, so many (event, group)s are counted before counting may give way. */
export const PAIRS_AT_ONCE_MAX = 500;
/** All dates of a question lie before this Day, 3000-01-01. Years of five digits are no dates in ISO 8601. */
export const QUESTION_DAY_MAX = 376_200;
/** Groups (time bucket × value) that one answer may have before paging: about 100 MB with their sketches. */
export const GROUPS_MAX = 100_000;
/**
 * Rows of rollups that one statement reads from D1: many totals, or few rows with sketches and breakdowns (64 KiB
 * each).
 */
export const ROLLUP_PAGE_ROWS = 1_000;
export const ROLLUP_PAGE_WIDE_ROWS = 200;
/** Stands for all merchants of a partition. No merchant has this number. */
export const ALL_MERCHANTS = 0;
/**
 * When numbers of closed Days are about to change, their partition is told. For this long no answer about the merchant
 * is remembered. The consumer that writes the change lives for 15 minutes at most, and D1 has given up any statement
 * long before the rest is over.
 */
export const CHANGE_TAKES_MS = HOUR_MS;
/**
 * An answer is remembered only if its Days were closed this long ago, because clocks of Workers and partitions differ.
 */
export const ANSWERS_CLOSED_MS = 10 * MINUTE_MS;
/** How long an answer is remembered. After that no cache has anything of what an erasure took. */
export const ANSWERS_KEPT_MS = HOUR_MS;
/**
 * Bytes of answers that an isolate remembers. A shop's overview is 20 KB. An answer larger than the second number is
 * not remembered.
 */
export const ANSWERS_KEPT_BYTES = 8_000_000;
export const ANSWER_KEPT_BYTES_MAX = 200_000;
/** Bytes of rollup rows that an isolate remembers: a quarter of its memory. A year of Days by page is 2 to 10 MB. */
export const BUCKETS_KEPT_BYTES = 32_000_000;
/**
 * Bytes of counted sealed Days that an isolate remembers for questions from events, in all and of one Day. One Day has
 * room for the sets of 60,000 visitors.
 */
export const SCAN_KEPT_BYTES = 16_000_000;
export const SCAN_KEPT_DAY_BYTES = 2_000_000;
/**
 * Rows and blocks that an isolate has already and names in a statement, 30 B each, so that D1 leaves them out. They are
 * eight years of one partition, and few enough for D1 to find by looking through them.
 */
export const PIECES_KNOWN_MAX = 300;
/** Entries of a question's filter tree, its depth, and the clauses of one entry. Each is looked at for each event. */
export const FILTERS_COUNT_MAX = 200;
export const FILTERS_DEPTH_MAX = 12;
export const FILTER_CLAUSES_MAX = 1_000;
/**
 * A regular expression of a filter: its length in UTF-16 units, the instructions that it becomes, and the largest count
 * of a repetition.
 */
export const REGEX_LENGTH_MAX = 500;
export const REGEX_INSTRUCTIONS_MAX = 1_000;
export const REGEX_REPEAT_MAX = 100;
/**
 * Steps that one question may take besides reading its events (core/query/budget.ts): about a second, at 10 ns each. An
 * isolate answers nobody else meanwhile.
 */
export const QUESTION_STEPS_MAX = 80_000_000;
/** Of these, steps that one event may take, or with has_done one visit: judging it is not cut. */
export const JUDGED_STEPS_MAX = QUESTION_STEPS_MAX / 20;
/**
 * Steps that all questions of one asker, and of one merchant, may take in an isolate: at once, and per second after
 * that. An asker of the dearest questions gets a tenth of an isolate's time. All askers of a merchant together get a
 * fifth.
 */
export const ASKER_STEPS_MAX = 2 * QUESTION_STEPS_MAX;
export const ASKER_STEPS_PER_SECOND = QUESTION_STEPS_MAX / 10;
export const MERCHANT_STEPS_MAX = 2 * ASKER_STEPS_MAX;
export const MERCHANT_STEPS_PER_SECOND = 2 * ASKER_STEPS_PER_SECOND;
/**
 * Steps that reading the filters of a share link, of a segment or of an export may take. They are read in one piece,
 * those of a link for each of its questions, and no purse pays for it. It is about four milliseconds: twenty regular
 * expressions of 200 characters.
 */
export const SAVED_FILTERS_STEPS_MAX = 4_000_000;
/** A share link gets an eighth of all that, because it is passed on to anybody: a tenth of a second a question. */
export const LINK_STEPS_SHARE = 8;
/**
 * What one guest of a link, by address, gets of the link's share: at once, and of what comes per second after that. A
 * link may stand on a public page; so whatever one guest asks, half of it is left for the others at once, and three
 * quarters of what comes.
 */
export const GUEST_AT_ONCE_SHARE = 1 / 2;
export const GUEST_PER_SECOND_SHARE = 1 / 4;
/**
 * Events that questions of one asker may read: at once, and per second after that. All of a merchant together may read
 * twice as many. At 5 µs each (SCAN_EVENTS_MAX) it is eight of the largest questions at once, and then most of an
 * isolate's time. A link has an eighth: one of the largest questions.
 */
export const ASKER_READS_MAX = 6_400_000;
export const ASKER_READS_PER_SECOND = 160_000;
/**
 * What looking into a (Day, partition) takes of them, for questions, proofs and exports: 0.3 ms for its list or its
 * manifest. So many merchants that the manifest names take as long as one event: 0.25 to 0.5 µs each to read (a
 * manifest of 4,000 is 490 KB).
 */
export const PLACE_READS = 60;
export const MANIFEST_MERCHANTS_OF_READ = 10;
/** Bytes of an open Day that take as long to put together and to count as one event: 70 ns each (live.ts). */
export const LIVE_BYTES_OF_READ = 70;
/** Bytes of the archive that are taken for one event, where nobody has counted the events (SCAN_BYTES_MAX). */
export const READ_BYTES = 40;
/**
 * A question lets others go first after this many events (about 10 ms at 50 µs each) or this many steps of 10 ns,
 * whichever comes first.
 */
export const SLICE_EVENTS = 200;
export const SLICE_STEPS = 1_000_000;
/** It also does so after reading this many rows of the archive, at 12 µs each. */
export const SLICE_ROWS = 1_000;
/**
 * A question of a share link waits this long for guests before it and for the merchants' own questions. It looks this
 * often whether it may go on. Others see for this long after a slice that somebody counts: for TURN_LEASE_MS if it is a
 * guest, whose client may have gone, and for TURN_OWN_MS if it is a merchant's own question.
 */
export const TURN_WAIT_MS_MAX = 10_000;
export const TURN_POLL_MS = 20;
export const TURN_LEASE_MS = 5_000;
export const TURN_OWN_MS = 50;
/**
 * So many questions of guests stand in line for that, and so many of one guest: each looks at all others whenever it
 * looks. In ten seconds fewer are counted.
 */
export const LINE_OF_GUESTS_MAX = 200;
export const LINE_OF_GUEST_MAX = 24;
/**
 * What of a purse has to be left for a question that is larger than this: of those that come at once each has paid for
 * looking into what it would read, and one shall begin.
 */
export const PURSE_FULL_SHARE = 7 / 8;
/** A rollup with a breakdown takes as long as this many events: 0.4 ms. */
export const ROLLUP_READS = 64;
/** After so many of them, which are 4 ms and one block of D1, a request lets others go first for so long. */
export const SLICE_ROLLUPS = 10;
export const ROLLUPS_EVERY_MS = 1;
/** Values of an imported Day that take as long as a rollup. A Day may have IMPORTED_ROWS_MAX of them. */
export const IMPORTED_ROWS_OF_ROLLUP = 300;
/** A request that reads no more of them waits for no others. */
export const LIGHT_ROLLUPS_MAX = 25;
/**
 * Requests of a merchant that add up more rollups than that, in an isolate. So many go on at once; each holds the pages
 * of up to 24 questions. So many stand in line, of one key, member or guest half as many: 24 panels that a person asks
 * for one by one, and once more. A year of one breakdown takes 0.15 s, so all of them wait for about 15 s.
 */
export const ROLLUP_READINGS_AT_ONCE_MAX = 2;
export const LINE_OF_MERCHANT_MAX = 96;
export const LINE_OF_ASKER_MAX = LINE_OF_MERCHANT_MAX / 2;
export const ROLLUP_WAIT_MS_MAX = 20_000;
/** Purses that an isolate remembers. The one that was not used for longest is full again, so it can be forgotten. */
export const PURSES_KEPT_MAX = 10_000;
/** How long a question may read and count its events, waits included. A longer question becomes a job or is refused. */
export const QUESTION_MS_MAX = 25_000;
/** Dimensions of one question. */
export const DIMENSIONS_COUNT_MAX = 8;
/**
 * What a question may read of the archive while its asker waits: bytes of objects, about 1,000,000 page views, and
 * objects, out of the platform's 1,000 subrequests. A sealed Day takes three objects, and one more for each 5,000
 * events.
 */
export const SCAN_BYTES_MAX = 40_000_000;
export const SCAN_OBJECTS_MAX = 600;
/**
 * Rows that are counted at once. A row takes about 200 B as columns (measured with 25,000 and 60,000 rows: 170 B and
 * its opinions), and to count so many takes 0.8 s of a processor. A place with more rows in a Day is read several
 * times, each time for some of its visitors.
 */
export const SCAN_DAY_ROWS_MAX = 200_000;
export const SCAN_PASSES_MAX = 64;

/** A derived row is counted in this share of the time that a row takes (`npm run bench:scan`). */
export const DERIVED_READS = 0.2;
/**
 * Rows of a merchant's Day that a seal derives at once, and characters of their texts. Deriving 50,000 rows of a shop
 * takes 50 MB beside the rows themselves (measured), and the isolate has 128. Questions read the rows of a larger Day.
 */
export const DERIVED_ROWS_MAX = 50_000;
export const DERIVED_TEXT_MAX = 16_000_000;
/** A column of them is unpacked in one piece, bytes: 1,000,000 take some 10 ms. Questions read the rows of others. */
export const DERIVED_COLUMN_MAX = 2_000_000;
/** Lines of its orders that fill such a column: each takes 60 B there, and three times as much until it is written. */
export const DERIVED_LINES_MAX = Math.floor(DERIVED_COLUMN_MAX / 60);
/** Bytes of a merchant's derived rows, unpacked: some 40 a row, and as many again where every text is different. */
export const DERIVED_BYTES_MAX = 32_000_000;
/** A pass is planned to have this share of those rows, because visitors are not spread evenly over passes. */
export const SCAN_PASS_FILLED = 0.8;
/**
 * Events that a question may count while its asker waits: a month of 25,000 a Day. They take 4 to 5 µs each where they
 * lie together (`npm run bench:scan`). That is 3 to 4 s of a processor, in slices between which others are answered,
 * and a request may take 300 s (REQUEST_CPU_MS). Where every file has only a few of them, bytes and objects are the
 * bound.
 */
export const SCAN_EVENTS_MAX = 800_000;
/**
 * A question that is too large for one request becomes a job of parts. One part has this many places, and all parts
 * together have at most the second number. A part takes about 80 subrequests and some seconds.
 */
export const JOB_PART_PLACES = 20;
export const JOB_PLACES_MAX = 4_000;
/** Jobs of one merchant that may run at once. */
export const JOBS_RUNNING_MAX = 5;
/** A share link may start a job while fewer than this many run. So links never take the merchant's last jobs. */
export const JOBS_RUNNING_SHARED_MAX = 3;
/** A part that fails is delivered this often; then its job ends. */
export const JOB_ATTEMPTS_MAX = 4;
/** How long an answer is kept. The cron looks after a job whose parts were sent as long ago as the second time. */
export const JOB_KEPT_MS = 7 * 24 * HOUR_MS;
export const JOB_STALE_MS = 16 * MINUTE_MS;
/**
 * How long a client may wait with its connection open (`Prefer: wait`), and how often the Worker looks for the answer.
 */
export const JOB_WAIT_SECONDS_MAX = 25;
export const JOB_WAIT_EVERY_MS = 300;
/** Jobs that an isolate remembers having looked for, with their questions: those that somebody waits for now. */
export const JOBS_LOOKED_MAX = 100;
/** Jobs that the cron sends again, or forgets, at once. */
export const JOBS_DRIVEN_MAX = 20;
/** Places that one question may look up in the archive, two subrequests each: half a year of one partition. */
export const SCAN_PLACES_MAX = 200;
/** Bytes of unarchived log, as text, that a partition reads for a question: about 30,000 events. */
export const RECENT_BYTES_MAX = 16_000_000;
/** Rows of one merchant in a partition's answer about its unarchived log. The answer crosses RPC as one value. */
export const RECENT_ROWS_MAX = 20_000;
/** Entries that all sets of visitors of one question may have together, about 60 B each. */
export const SCAN_VISITORS_MAX = 800_000;
/** Days whose events one proof counts again: a month. */
export const PROOF_DAYS_MAX = 31;
/**
 * Different agents, networks, pages or referrers that a count tells apart for one reason of leaving events out. With 9
 * reasons of 4 lists and 300 B a name they are 11 MB. A sender of made-up pages fills the list and no more.
 */
export const LEFT_OUT_NAMES_MAX = 1_000;
/** An answer shows this many of them, the most frequent ones. */
export const LEFT_OUT_SHOWN_MAX = 20;
/** Characters of one of these names. */
export const LEFT_OUT_NAME_LENGTH_MAX = 120;
/** Questions of one batch. An overview has ten or twelve panels, and a page twice as many. */
export const BATCH_QUESTIONS_MAX = 24;
/** Characters of a question's name in a batch. */
export const BATCH_NAME_LENGTH_MAX = 40;
/**
 * Events of one Day times questions that one pass counts, because an event is in a set of visitors for each question.
 * After each Day it is checked that all sets together hold no more than those of one question may. So they may hold a
 * quarter more.
 */
export const BATCH_EVENTS_MAX = SCAN_VISITORS_MAX / 4;
/** A question by the minute spans two Days at most, and one more hour for a change of the clock. */
export const MINUTES_RANGE_MS_MAX = 49 * HOUR_MS;
/**
 * Steps of a funnel, and the time from its first step within which the others count: a day unless said, a month at
 * most.
 */
export const FUNNEL_STEPS_MIN = 2;
export const FUNNEL_STEPS_MAX = 10;
export const FUNNEL_WINDOW_SECONDS = 24 * 3_600;
export const FUNNEL_WINDOW_SECONDS_MAX = 31 * FUNNEL_WINDOW_SECONDS;
/** Pages of a path: unless said, and at most. Also the different paths that are counted, about 200 B each. */
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
/** A visitor of the last five minutes is here now. Minutes are shown one by one this far back. */
export const REALTIME_NOW_MINUTES = 5;
export const REALTIME_MINUTES = 30;
/** How many visitors, orders and texts of a Day take as long to look through as one event: 0.2 to 1.2 µs each. */
export const NOW_LOOKED_OF_READ = 6;
/** Pages, sources and orders that are shown as of now. */
export const NOW_SHOWN_MAX = 10;
/** API keys that one isolate remembers with their merchants, about 1 KB each. The oldest are forgotten first. */
export const KEYS_KEPT_MAX = 10_000;
/** A revoked key still works this long in isolates that have seen it. */
export const KEYS_KEPT_MS = MINUTE_MS;
/** The last use of a key is noted this often at most: one row write an hour and key. */
export const KEY_USE_NOTED_EVERY_MS = HOUR_MS;
/** Keys of one merchant. */
export const KEYS_COUNT_MAX = 1_000;
/** How long the old secret of a rotated key stays good: unless said, and at most. A month is time for any deploy. */
export const KEY_GRACE_SECONDS = 24 * 3_600;
export const KEY_GRACE_SECONDS_MAX = 30 * KEY_GRACE_SECONDS;
/** Members, open invites and share links of one merchant. Each list is read as a whole. */
export const MEMBERS_COUNT_MAX = 100;
export const INVITES_COUNT_MAX = 100;
export const SHARES_COUNT_MAX = 100;
/** Origins whose pages may show a share link in a frame. A header of the page lists them. */
export const SHARE_ORIGINS_MAX = 10;
/** Characters of one origin. A hostname has 253 at most. */
export const SHARE_ORIGIN_LENGTH_MAX = 270;
/**
 * Segments of one merchant: 400 KB of filters, read as a whole. One list of filters may name segments this often, each
 * SHARE_FILTERS_LENGTH_MAX long.
 */
export const SEGMENTS_COUNT_MAX = 100;
export const SEGMENTS_NAMED_MAX = 20;
/**
 * Saved views of one merchant: 400 KB of addresses, read as a whole. The second number bounds the query part of one
 * address.
 */
export const VIEWS_COUNT_MAX = 100;
/** Those that a member keeps for itself, beside the merchant's. */
export const OWN_VIEWS_COUNT_MAX = 50;
export const VIEW_SEARCH_LENGTH_MAX = 4_000;
/** Notes of one merchant: one a day for more than five years. A note stands beside a chart, so it is short. */
export const NOTES_COUNT_MAX = 2_000;
export const NOTE_LENGTH_MAX = 300;
/** Sessions that a list shows, and the characters of a User-Agent that are kept. They name browser and system. */
export const SESSIONS_LISTED_MAX = 100;
export const SESSION_AGENT_LENGTH_MAX = 300;
/** Merchants that one address may be a member of. */
export const MEMBERSHIPS_COUNT_MAX = 100;
/** How many of those a page of the dashboard names at once, so that its document stays below 4 KB. */
export const DASHBOARD_SHOPS_NAMED_MAX = 8;
/** RFC 5321: a path has 256 characters, two of which are angle brackets. */
export const EMAIL_LENGTH_MAX = 254;
/**
 * In UTF-16 units. With this length and the counter below, guessing is hopeless. The maximum keeps hostile sizes from
 * the hash.
 */
export const PASSWORD_LENGTH_MIN = 10;
export const PASSWORD_LENGTH_MAX = 200;
/**
 * An isolate remembers credentials that were good within this time, and as many addresses that guess, about 100 B each.
 */
export const CREDENTIALS_KEPT_MS = HOUR_MS;
export const CREDENTIALS_KEPT_MAX = 10_000;
/**
 * scrypt at the strength that OWASP names for 16 MB of memory: about 160 ms. An isolate has 128 MB, so more memory
 * would come near it.
 */
export const PASSWORD_COST = { N: 16_384, r: 8, p: 5 } as const;
/**
 * Attempts to sign in under one name from one place in a quarter of an hour: a thousand a day. Here a place is a
 * browser that has signed in under the name before, or an address.
 */
export const SIGN_IN_ATTEMPTS_MAX = 10;
export const SIGN_IN_PERIOD_SECONDS = 900;
/** Attempts from one network of strangers: an IPv6 /48 or an IPv4 /24. An owner of a /48 has 65,536 places. */
export const SIGN_IN_NETWORK_MAX = 20;
/**
 * Attempts under one name from all places where nobody has signed in under it before. The first 120 in a period are all
 * judged. Of later ones, the n-th is judged with a chance of 120 in n. So the owner in a new browser gets through as
 * often as anybody who guesses. In a quarter of an hour 90 guessing addresses have 360 attempts judged, and a million
 * of them have 1,200 (scrypt: a fifth of one CPU).
 */
export const SIGN_IN_STRANGERS_MAX = 120;
/** When somebody who was not drawn may try again: ten times within a minute. */
export const SIGN_IN_STRANGER_SECONDS = 5;
/** A browser is known for as long as browsers keep a cookie, to the last eight members that signed in there. */
export const DEVICE_SECONDS = 400 * 24 * 3_600;
export const DEVICES_NAMED_MAX = 8;
/** A member signs in again after two weeks. An invite is good for one. */
export const SESSION_MS = 14 * 24 * HOUR_MS;
export const INVITE_MS = 7 * 24 * HOUR_MS;
/**
 * Ended sessions and counters of attempts that a statement of the cron deletes, and how many such statements one cron
 * makes while there are more. An attempt makes three counters, and an address may make one a second under names that
 * nobody has: 900 in the five minutes between two crons.
 */
export const SESSIONS_FORGET_ROWS = 10_000;
export const SESSIONS_FORGET_TURNS = 20;
/**
 * What judging passwords may take of an isolate, in microseconds: 20 at once, and two a second after that, a third of
 * its time. Strangers have that, and known browsers the same; together they have one and a half of it. Without this
 * bound a few addresses would keep an isolate busy with names that nobody has.
 */
export const PASSWORD_MICROSECONDS = 160_000;
export const PASSWORDS_AT_ONCE = 20;
export const PASSWORDS_PER_SECOND = 2;
/**
 * Times that a member signs in, in an isolate: so many at once, and one in five minutes after that; of a merchant 2,000
 * and four a minute. Each makes a session that is kept for two weeks, and an entry of the audit log.
 */
export const MEMBER_SIGN_INS_MAX = 100;
export const MEMBER_SIGN_INS_PER_SECOND = 1 / 300;
export const MERCHANT_SIGN_INS_MAX = 2_000;
export const MERCHANT_SIGN_INS_PER_SECOND = 1 / 15;
/**
 * Looks for the record that proves a hostname, of a merchant in an isolate: so many at once, and one in ten seconds
 * after that. Each asks the deployment's resolver.
 */
export const PROOF_LOOKS_MAX = 20;
export const PROOF_LOOKS_PER_SECOND = 1 / 10;
/** Records at one name that are read. Each may cost a check of a tracking ID. */
export const PROOF_TEXTS_MAX = 100;
/** Of what was found instead an answer shows so many, and so many characters of each. */
export const PROOF_TEXTS_SHOWN = 5;
export const PROOF_TEXT_LENGTH_SHOWN = 80;
/** Filters of a share link: their length as JSON, and their depth. */
export const SHARE_FILTERS_LENGTH_MAX = 4_096;
export const SHARE_FILTERS_DEPTH_MAX = 12;
/** What an audit entry repeats of a request, as JSON. For a larger request it names only the fields. */
export const AUDIT_DETAILS_LENGTH_MAX = 2_048;
/** How long audit entries are kept, and how many of the oldest a cron looks at: a million and a half a day. */
export const AUDIT_KEPT_MS = 400 * 24 * HOUR_MS;
export const AUDIT_FORGET_ROWS = 5_000;
/**
 * Bytes that a merchant's own people and keys may add to the audit log in an isolate. They may add this many at once,
 * which is 20,000 acts without details, and 4.3 MB a day after that. With less than half of it left, details are left
 * out. An entry takes about AUDIT_ENTRY_BYTES besides its details. Without this bound a key could write 2 GB a day, and
 * D1 holds 10 GB.
 */
export const AUDIT_BYTES_MAX = 4_000_000;
export const AUDIT_BYTES_PER_SECOND = 50;
export const AUDIT_ENTRY_BYTES = 200;
/**
 * Replay jobs that a merchant itself may have under way. Each reads whole Days of its partitions, neighbours included.
 */
export const REPLAYS_OF_MERCHANT_MAX = 2;
/** Replay jobs that a merchant may ask for in 24 hours. Each may list the archive for each of its Days. */
export const REPLAYS_A_DAY_MAX = 50;
/**
 * A new merchant or stream needs a number. This many are tried if others claim the same ones at the same moment, and
 * this many are passed over if something is stored under them.
 */
export const NUMBER_CLAIM_TRIES_MAX = 50;
/** Versions of one scope's rules, and erasures of one ledger: one a second for 68 years. */
export const CLAIMED_NUMBER_MAX = 2 ** 31 - 1;
/** How often the cron backs the directory up. A lost directory loses this much at most (docs/operate.md). */
export const BACKUP_EVERY_MS = HOUR_MS;
/**
 * All backups of the last 48 hours are kept, and the first of each of the last 35 Days: 83 in all. The documents
 * promise when they end.
 */
export const BACKUPS_ALL_KEPT_MS = 48 * HOUR_MS;
export const BACKUPS_DAILY_KEPT_MS = 35 * 24 * HOUR_MS;
/**
 * Pages that one cron reads. D1 takes 1,000 statements from one call of a Worker, and the other steps of the cron need
 * some. A million merchants take 14 crons, or 70 minutes.
 */
export const BACKUP_PAGES_PER_CRON = 500;
/** Rows in one page of a backup, which is held in memory as a whole: some MB with ordinary rows. */
export const BACKUP_ROWS = 2_000;
/** The same for tables whose rows hold rules, of 64 KB at most each. */
export const BACKUP_ROWS_OF_RULES = 200;
/**
 * Characters after which pages of one table become an object. An object of each page would be 7,000 puts for a million
 * merchants, and 18 USD a month.
 */
export const BACKUP_OBJECT_CHARACTERS = 4_000_000;
/** Bytes that one object of a backup may unpack to. Even the largest rows take less. */
export const BACKUP_OBJECT_BYTES_MAX = 64 * 1024 * 1024;
/**
 * How long a change of the directory waits for others before it is logged in R2. A lost directory may lose this much.
 * One put in ten seconds is 1.17 USD a month at most, however many Workers change something.
 */
export const CHANGE_LOG_AFTER_MS = 10_000;
/**
 * Changes in one object of that log, and characters of them before the last one. They are whole rows. That of a
 * merchant holds all rules that it ever decided, RULE_TIMELINE_LENGTH_MAX, and its own people may change it 30 times a
 * second.
 */
export const CHANGES_LOGGED_ONCE = 200;
export const CHANGES_LOGGED_CHARACTERS = 4_000_000;
/** Objects that one call writes. Each takes four statements and a put, and a call of a Worker may make 1,000. */
export const CHANGES_PAGES_PER_CALL = 50;
/** Characters of rows that one statement of a recovery writes. D1 takes 2 MB. */
export const RECOVERED_CHARACTERS = 500_000;
/** Merchants whose versions one statement of a recovery raises, at two row writes each. */
export const RECOVERED_MERCHANTS = 10_000;
/**
 * A recovery raises versions of settings, and numbers of their changes, by this much. Nobody makes so many changes
 * between a backup and its recovery. So partitions and fences take the recovered settings as newer than all they know.
 */
export const RECOVERED_STEP = 1_000_000;
/** Dates of the archive that one request of a ledger's recovery notes, with two listings and a statement each. */
export const RECOVERED_DAYS = 60;
/**
 * Positions that the recovery of a partition leaves out above the highest that anybody knows: more than a log can hold
 * that lies nowhere else (BUNDLES_KEPT_MAX bundles of some 3,000 events, and what is not cut yet). What is still on its
 * way to the archive then has positions of its own.
 */
export const RECOVERED_POSITIONS = 100_000_000;
/** Bundles that one request of a partition's recovery reads and sends: some 500 KB of text each. */
export const RECOVERED_BUNDLES = 20;
/** Parts of imported rollups that one request of a ledger's recovery writes: an object and a transaction each. */
export const RECOVERED_IMPORT_PARTS = 100;
/** Objects in a page of the bucket's list: R2 lists no more at once. */
export const BUCKET_PAGE_MAX = 1_000;
/** Of an object's metadata as JSON. R2 takes 2 KB; the longest is the list of a bundle's merchants. */
export const COPIED_METADATA_LENGTH_MAX = 4_000;
/** Credentials that one request of the bucket's recovery notes as taken away: a put each. */
export const RECOVERED_GONE = 300;
/** Claims of numbers that one request of the bucket's recovery makes: a listing and a put each. */
export const RECOVERED_CLAIMS = 200;
/** (Day, partition)s that one request of the bucket's recovery looks at: two listings and a manifest each. */
export const RECOVERED_PLACES = 100;
/** Merchants whose imported rollups one request of the bucket's recovery writes again: some hundred objects each. */
export const RECOVERED_IMPORTERS = 5;
/** Deflated rows in one of those objects. As text they are some five times as many, of the 3 MB that a reader takes. */
export const IMPORTED_COPY_BYTES = 200_000;
/** Sealed Days of each ledger whose files the doctor looks for. */
export const DOCTORED_DAYS = 4;
/** Entries of one page of an admin list. */
export const ADMIN_PAGE_MAX = 100;
/**
 * Dead letters that one request handles. Each may take a subrequest for each Day of a bundle, and the platform allows
 * 1,000.
 */
export const DEAD_LETTERS_REDRIVEN_MAX = 8;
/** Requests to partitions that one admin request makes at the same time. */
export const ADMIN_FAN_OUT = 32;
/** Hostnames of a merchant that may count, and the length of one (RFC 1035). */
export const HOSTNAMES_COUNT_MAX = 100;
export const HOSTNAME_LENGTH_MAX = 253;

// ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** A scope's rules as JSON, in UTF-16 units. They come in one admin body, with a note. */
export const RULES_LENGTH_MAX = 60_000;
/**
 * All rules that a scope ever decided, as JSON in UTF-16 units. It is one row of D1 and of a partition, at three bytes
 * a unit. It has room for about 300 changes of 2,000 units. No history may be forgotten, so a further change is
 * refused.
 */
export const RULE_TIMELINE_LENGTH_MAX = 600_000;
export const RULE_NOTE_LENGTH_MAX = 500;
/** Names in rules: of goals, channels and excluded addresses. */
export const RULE_NAME_LENGTH_MAX = 60;
export const PATTERN_LENGTH_MAX = 256;
/** Entries of one list of patterns, hosts or numbers. Each is compared with each event. */
export const RULE_LIST_MAX = 500;
export const EXCLUSIONS_COUNT_MAX = 50;
export const CHANNEL_RULES_MAX = 50;
export const PAGE_RULES_MAX = 100;
export const QUERY_KEPT_MAX = 20;
/**
 * Goals of one merchant. An event has a number for each of them and four more, and their count is stored in one byte.
 */
export const GOALS_COUNT_MAX = 50;
/** User agents for which a partition remembers what patterns said. Agents repeat, and 500 patterns take 50 µs. */
export const AGENT_VERDICTS_KEPT_MAX = 2_000;

/** Characters of one text about an incident: a few paragraphs. */
export const INCIDENT_TEXT_LENGTH_MAX = 2_000;

/** How many incidents are kept, the newest ones. */
export const INCIDENTS_MAX = 100;
/** How many texts of one incident are kept, the newest ones. */
export const INCIDENT_UPDATES_MAX = 50;
/** An older status says nothing about now. The cron makes one every five minutes, so it does not run. */
export const STATUS_OLD_MS = 15 * MINUTE_MS;
/** How long browsers and the answering isolate keep /status. To make it takes two reads of R2, and anybody may ask. */
export const STATUS_KEPT_MS = 30_000;
/** How often an isolate looks whether numbers are late. It takes two reads of R2: 200 isolates cost 3 USD a month. */
export const STATUS_READ_EVERY_MS = 2 * MINUTE_MS;

/**
 * How often an isolate adds its counts of billable operations to a ledger. A thousand isolates write three million rows
 * a month, for 3 USD. An isolate that ends loses what it counted in its last quarter of an hour.
 */
export const METER_KEPT_EVERY_MS = 15 * MINUTE_MS;

// ── rates ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/**
 * A published rate is used for this many Days after its own. The central bank leaves out five at most (Easter,
 * Christmas). That makes a week, and another week in which an operator can see that fetching fails. An older rate is a
 * guess. Money without a rate is shown as that.
 */
export const RATE_AGE_DAYS_MAX = 14;
/** 1999-01-01. There was no euro before, and no event can be earlier (TIMESTAMP_MIN_MS). */
export const RATE_DAY_MIN = 10_592;
/**
 * Digits of a rate before and after its point. One euro was 1,800,000 old Turkish lira, and a rupiah is 0.0000571
 * euros.
 */
export const RATE_WHOLE_DIGITS_MAX = 9;
export const RATE_FRACTION_DIGITS_MAX = 12;
/** A file of rates, in UTF-16 units. The central bank's whole history as XML has about 8,000,000. */
export const RATE_FILE_LENGTH_MAX = 16_000_000;
/** Days in such a file. Since 1999 there were 7,200 Days with rates. */
export const RATE_FILE_DAYS_MAX = 20_000;
/** Currencies of one Day: ISO 4217 has about 180. */
export const RATE_FILE_CURRENCIES_MAX = 200;
/** Days, or own rates, in one request. 100 Days of 31 currencies have 50 KB. */
export const RATES_SENT_MAX = 500;
/** Days that one statement writes, 500 B each: a quarter of what a parameter may have. */
export const RATE_DAYS_WRITTEN = 1_000;
/** A merchant's own rates: forty currencies each month for ten years. They are read as a whole, 60 B each. */
export const OWN_RATES_MAX = 5_000;
/** Days of published rates that an isolate remembers, 3 KB each: four years. A longer range is read and not kept. */
export const RATE_DAYS_KEPT_MAX = 1_500;
/** Merchants whose own rates an isolate remembers. */
export const OWN_RATES_KEPT_MAX = 100;
/**
 * Rates of a Day and two currencies that an isolate remembers with the table they came from, 100 B each. A long range
 * has about 10,000.
 */
export const RATES_KNOWN_MAX = 20_000;
/**
 * When rates are fetched, in ms after midnight in UTC. The central bank publishes at about 16:00 of its own time, which
 * is 14:00 or 15:00 in UTC.
 */
export const RATES_FETCHED_AT_MS = 16 * HOUR_MS;
/** How long a download of rates may take. */
export const RATES_FETCH_MS = 30_000;
/** Characters of a group's name. Identity providers use a UUID or a path. */
export const OPERATOR_GROUP_LENGTH_MAX = 200;
/** Operators of a deployment. One answer lists them all. */
export const OPERATORS_COUNT_MAX = 200;
/**
 * How long a receiver of alerts may take to answer. A cron tells two receivers and a heartbeat, each perhaps once for
 * every alert.
 */
export const TELL_TIMEOUT_MS = 5_000;
/** Currencies that a merchant had one after the other. Every copy of its settings contains them. */
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
