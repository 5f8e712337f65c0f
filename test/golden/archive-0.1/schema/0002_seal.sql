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
	PRIMARY KEY(`day`, `partition`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `archive_days_due` ON `archive_days` (`due_at`);