CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash_unique` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE INDEX `api_keys_merchant` ON `api_keys` (`merchant`);--> statement-breakpoint
CREATE TABLE `daily` (
	`merchant` integer NOT NULL,
	`bucket` integer NOT NULL,
	`partition` text NOT NULL,
	`day` integer NOT NULL,
	`version` integer NOT NULL,
	`visitors` integer NOT NULL,
	`visits` integer NOT NULL,
	`bounces` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`pageviews` integer NOT NULL,
	`events` integer NOT NULL,
	`engagement_ms` integer NOT NULL,
	`revenue` integer NOT NULL,
	`foreign_revenue` integer NOT NULL,
	`drops` text NOT NULL,
	`sketch` blob NOT NULL,
	`by_page` blob,
	`by_hostname` blob,
	`by_name` blob,
	`by_stream` blob,
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
CREATE TABLE `hourly` (
	`merchant` integer NOT NULL,
	`bucket` integer NOT NULL,
	`partition` text NOT NULL,
	`day` integer NOT NULL,
	`version` integer NOT NULL,
	`visitors` integer NOT NULL,
	`visits` integer NOT NULL,
	`bounces` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`pageviews` integer NOT NULL,
	`events` integer NOT NULL,
	`engagement_ms` integer NOT NULL,
	`revenue` integer NOT NULL,
	`foreign_revenue` integer NOT NULL,
	`drops` text NOT NULL,
	`sketch` blob NOT NULL,
	`by_page` blob,
	`by_hostname` blob,
	`by_name` blob,
	`by_stream` blob,
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
CREATE TABLE `merchants` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`zones` text NOT NULL,
	`currency` text NOT NULL,
	`rules` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `merchants_id_unique` ON `merchants` (`id`);--> statement-breakpoint
CREATE TABLE `streams` (
	`merchant` integer NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`hostname` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`merchant`, `number`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `streams_hostname_unique` ON `streams` (`hostname`);