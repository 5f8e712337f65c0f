CREATE TABLE `own_rates` (
	`merchant` integer NOT NULL,
	`currency` text NOT NULL,
	`in` text NOT NULL,
	`from_day` integer NOT NULL,
	`rate` text NOT NULL,
	PRIMARY KEY(`merchant`, `currency`, `in`, `from_day`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `rate_versions` (
	`merchant` integer PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`fetched_at` integer
);
--> statement-breakpoint
CREATE TABLE `rates` (
	`day` integer PRIMARY KEY NOT NULL,
	`per_euro` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `merchants` ADD `currencies` text DEFAULT '[]' NOT NULL;
