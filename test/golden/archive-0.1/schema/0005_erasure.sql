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
	`finished_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `erasures_id_unique` ON `erasures` (`id`);--> statement-breakpoint
CREATE INDEX `erasures_merchant` ON `erasures` (`merchant`);--> statement-breakpoint
CREATE INDEX `erasures_state` ON `erasures` (`state`);--> statement-breakpoint
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
ALTER TABLE `archive_days` ADD `expired` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `merchants` ADD `retention_days` integer;