CREATE TABLE `archive_days` (
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	`generation` integer NOT NULL,
	`folder` text NOT NULL,
	`rows` integer NOT NULL,
	`merchants` integer NOT NULL,
	`bytes` integer NOT NULL,
	`duplicates` integer NOT NULL,
	`differences` integer NOT NULL,
	`shown` text NOT NULL,
	`sealed_at` integer,
	`late_since` integer,
	`late_marks` integer NOT NULL,
	`due_at` integer,
	`attempts` integer NOT NULL,
	`error` text NOT NULL,
	`clean_at` integer,
	`expired` integer DEFAULT 0 NOT NULL,
	`unpacked` integer DEFAULT 1 NOT NULL,
	`late_at` integer,
	`doubted` integer DEFAULT 0 NOT NULL,
	`lost` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`day`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `archive_days_due` ON `archive_days` (`due_at`);--> statement-breakpoint
CREATE INDEX `archive_days_unpacked` ON `archive_days` (`day`) WHERE unpacked > 0 AND due_at IS NULL;--> statement-breakpoint
CREATE TABLE `blocks` (
	`merchant` integer NOT NULL,
	`first_day` integer NOT NULL,
	`partition` text NOT NULL,
	`version` integer NOT NULL,
	`events` text NOT NULL,
	`versions` text NOT NULL,
	`file` text DEFAULT '' NOT NULL,
	`spans` text DEFAULT '' NOT NULL,
	`head` blob NOT NULL,
	`page` blob NOT NULL,
	`ends` blob NOT NULL,
	`source` blob NOT NULL,
	`campaign` blob NOT NULL,
	`audience` blob NOT NULL,
	`place` blob NOT NULL,
	`product` blob NOT NULL,
	PRIMARY KEY(`merchant`, `first_day`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `blocks_here` ON `blocks` (`first_day`,`partition`,`merchant`) WHERE file = '';--> statement-breakpoint
CREATE TABLE `daily` (
	`merchant` integer NOT NULL,
	`bucket` integer NOT NULL,
	`partition` text NOT NULL,
	`day` integer NOT NULL,
	`version` integer NOT NULL,
	`visitors` integer NOT NULL,
	`known` integer NOT NULL,
	`visits` integer NOT NULL,
	`bounces` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`pageviews` integer NOT NULL,
	`events` integer NOT NULL,
	`engagement_ms` integer NOT NULL,
	`orders` integer NOT NULL,
	`refunds` integer NOT NULL,
	`units` integer NOT NULL,
	`money` text DEFAULT '{}' NOT NULL,
	`drops` text NOT NULL,
	`sketch` blob NOT NULL,
	`presence` blob DEFAULT x'' NOT NULL,
	`by_page` blob,
	`by_hostname` blob,
	`by_name` blob,
	`by_stream` blob,
	`by_goal` blob,
	`by_product` blob,
	`by_entry_page` blob,
	`by_exit_page` blob,
	`by_source` blob,
	`by_referrer` blob,
	`by_utm_source` blob,
	`by_utm_medium` blob,
	`by_utm_campaign` blob,
	`by_utm_content` blob,
	`by_utm_term` blob,
	`by_channel` blob,
	`by_country` blob,
	`by_region` blob,
	`by_city` blob,
	`by_browser` blob,
	`by_os` blob,
	`by_device` blob,
	`by_language` blob,
	PRIMARY KEY(`merchant`, `bucket`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `erasure_parts` (
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	`erasure` integer NOT NULL,
	`told` integer NOT NULL,
	`state` text NOT NULL,
	PRIMARY KEY(`day`, `partition`, `erasure`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `erasure_parts_erasure` ON `erasure_parts` (`erasure`);--> statement-breakpoint
CREATE TABLE `erasures` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`merchant` integer NOT NULL,
	`kind` text NOT NULL,
	`visitor` text NOT NULL,
	`from_day` integer NOT NULL,
	`to_day` integer NOT NULL,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`archived_at` integer,
	`in_directory` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `erasures_id_unique` ON `erasures` (`id`);--> statement-breakpoint
CREATE INDEX `erasures_merchant` ON `erasures` (`merchant`);--> statement-breakpoint
CREATE INDEX `erasures_state` ON `erasures` (`state`);--> statement-breakpoint
CREATE TABLE `hourly` (
	`merchant` integer NOT NULL,
	`bucket` integer NOT NULL,
	`partition` text NOT NULL,
	`day` integer NOT NULL,
	`version` integer NOT NULL,
	`visitors` integer NOT NULL,
	`known` integer NOT NULL,
	`visits` integer NOT NULL,
	`bounces` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`pageviews` integer NOT NULL,
	`events` integer NOT NULL,
	`engagement_ms` integer NOT NULL,
	`orders` integer NOT NULL,
	`refunds` integer NOT NULL,
	`units` integer NOT NULL,
	`money` text DEFAULT '{}' NOT NULL,
	`drops` text NOT NULL,
	`sketch` blob NOT NULL,
	`presence` blob DEFAULT x'' NOT NULL,
	`by_page` blob,
	`by_hostname` blob,
	`by_name` blob,
	`by_stream` blob,
	`by_goal` blob,
	`by_product` blob,
	`by_entry_page` blob,
	`by_exit_page` blob,
	`by_source` blob,
	`by_referrer` blob,
	`by_utm_source` blob,
	`by_utm_medium` blob,
	`by_utm_campaign` blob,
	`by_utm_content` blob,
	`by_utm_term` blob,
	`by_channel` blob,
	`by_country` blob,
	`by_region` blob,
	`by_city` blob,
	`by_browser` blob,
	`by_os` blob,
	`by_device` blob,
	`by_language` blob,
	PRIMARY KEY(`merchant`, `bucket`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `identity` (
	`id` integer PRIMARY KEY NOT NULL,
	`position` integer NOT NULL,
	`ledgers` integer NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `imported_days` (
	`merchant` integer NOT NULL,
	`table` text NOT NULL,
	`day` integer NOT NULL,
	`import` integer NOT NULL,
	`rows` integer NOT NULL,
	`bytes` integer NOT NULL,
	`packed` blob NOT NULL,
	PRIMARY KEY(`merchant`, `table`, `day`, `import`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `job_fences` (
	`job` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`merchant` integer,
	`state` text NOT NULL,
	`epoch` integer NOT NULL,
	`zoned` integer DEFAULT false NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `job_fences_state` ON `job_fences` (`state`);--> statement-breakpoint
CREATE INDEX `job_fences_zoned` ON `job_fences` (`merchant`) WHERE zoned = 1;--> statement-breakpoint
CREATE TABLE `merchant_alarms` (
	`merchant` integer PRIMARY KEY NOT NULL,
	`alarms` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `month_files` (
	`merchant` integer NOT NULL,
	`month` integer NOT NULL,
	`partition` text NOT NULL,
	`file` text NOT NULL,
	`blocks` integer NOT NULL,
	`due_at` integer,
	`unused_since` integer,
	`erased` integer DEFAULT false NOT NULL,
	`deleting` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`merchant`, `month`, `partition`, `file`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `month_files_due` ON `month_files` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `month_meters` (
	`month` text PRIMARY KEY NOT NULL,
	`worker_requests` integer DEFAULT 0 NOT NULL,
	`partition_requests` integer DEFAULT 0 NOT NULL,
	`partition_rows_written` integer DEFAULT 0 NOT NULL,
	`partition_rows_read` integer DEFAULT 0 NOT NULL,
	`queue_operations` integer DEFAULT 0 NOT NULL,
	`r2_class_a` integer DEFAULT 0 NOT NULL,
	`r2_class_b` integer DEFAULT 0 NOT NULL,
	`d1_rows_written` integer DEFAULT 0 NOT NULL,
	`d1_rows_read` integer DEFAULT 0 NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `outbox` (
	`merchant` integer NOT NULL,
	`id` text NOT NULL,
	`subscription` text NOT NULL,
	`state` text NOT NULL,
	`message` text,
	`created_at` integer NOT NULL,
	`next_at` integer,
	`ended_at` integer,
	`attempts` integer NOT NULL,
	`error` text NOT NULL,
	PRIMARY KEY(`merchant`, `id`)
);
--> statement-breakpoint
CREATE INDEX `outbox_next` ON `outbox` (`next_at`);--> statement-breakpoint
CREATE INDEX `outbox_ended` ON `outbox` (`ended_at`);--> statement-breakpoint
CREATE TABLE `overflow_notes` (
	`merchant` integer NOT NULL,
	`id` text NOT NULL,
	`since` integer NOT NULL,
	`done_at` integer,
	PRIMARY KEY(`merchant`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `partition_status` (
	`partition` text PRIMARY KEY NOT NULL,
	`told_at` integer NOT NULL,
	`publish_due` integer,
	`events` integer NOT NULL,
	`archived_events` integer NOT NULL,
	`unarchived_since` integer,
	`unconfirmed_bundles` integer NOT NULL,
	`held_bytes` integer NOT NULL,
	`merchants` integer NOT NULL,
	`failing` text NOT NULL,
	`slowed_at` integer,
	`hot_at` integer,
	`claim` text DEFAULT '' NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `places` (
	`merchant` integer NOT NULL,
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	PRIMARY KEY(`merchant`, `day`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `question_jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`question` text NOT NULL,
	`state` text NOT NULL,
	`error` text NOT NULL,
	`created_at` integer NOT NULL,
	`sent_at` integer NOT NULL,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `question_jobs_merchant` ON `question_jobs` (`merchant`,`state`);--> statement-breakpoint
CREATE TABLE `question_parts` (
	`job` text NOT NULL,
	`part` integer NOT NULL,
	`places` text NOT NULL,
	`done` integer NOT NULL,
	PRIMARY KEY(`job`, `part`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `removals` (
	`merchant` integer NOT NULL,
	`erasure` text NOT NULL,
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	`at` integer NOT NULL,
	`rows_before` integer NOT NULL,
	`rows_after` integer NOT NULL,
	`replaced` text NOT NULL,
	`folder` text NOT NULL,
	PRIMARY KEY(`merchant`, `erasure`, `day`, `partition`, `at`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `replay_parts` (
	`job` text NOT NULL,
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	`state` text NOT NULL,
	`sent_at` integer NOT NULL,
	`events` integer NOT NULL,
	`buckets` integer NOT NULL,
	`differences` integer NOT NULL,
	`in_doubt` integer NOT NULL,
	`unpublished` integer NOT NULL,
	`replaced` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`shown` text NOT NULL,
	`totals` text DEFAULT '[]' NOT NULL,
	`error` text NOT NULL,
	PRIMARY KEY(`job`, `day`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `replay_undo` (
	`job` text NOT NULL,
	`grain` text NOT NULL,
	`merchant` integer NOT NULL,
	`bucket` integer NOT NULL,
	`partition` text NOT NULL,
	`written_version` real NOT NULL,
	`day` integer NOT NULL,
	`version` integer NOT NULL,
	`visitors` integer NOT NULL,
	`known` integer NOT NULL,
	`visits` integer NOT NULL,
	`bounces` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`pageviews` integer NOT NULL,
	`events` integer NOT NULL,
	`engagement_ms` integer NOT NULL,
	`orders` integer NOT NULL,
	`refunds` integer NOT NULL,
	`units` integer NOT NULL,
	`money` text DEFAULT '{}' NOT NULL,
	`drops` text NOT NULL,
	`sketch` blob NOT NULL,
	`presence` blob DEFAULT x'' NOT NULL,
	`by_page` blob,
	`by_hostname` blob,
	`by_name` blob,
	`by_stream` blob,
	`by_goal` blob,
	`by_product` blob,
	`by_entry_page` blob,
	`by_exit_page` blob,
	`by_source` blob,
	`by_referrer` blob,
	`by_utm_source` blob,
	`by_utm_medium` blob,
	`by_utm_campaign` blob,
	`by_utm_content` blob,
	`by_utm_term` blob,
	`by_channel` blob,
	`by_country` blob,
	`by_region` blob,
	`by_city` blob,
	`by_browser` blob,
	`by_os` blob,
	`by_device` blob,
	`by_language` blob,
	PRIMARY KEY(`job`, `day`, `partition`, `merchant`, `grain`, `bucket`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `settings_fences` (
	`merchant` integer PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`ended` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE `uncounted` (
	`merchant` integer NOT NULL,
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	`marks` integer NOT NULL,
	PRIMARY KEY(`merchant`, `day`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `uncounted_day` ON `uncounted` (`day`,`partition`);