CREATE TABLE `overflow_notes` (
	`merchant` integer NOT NULL,
	`id` text NOT NULL,
	`since` integer NOT NULL,
	`done_at` integer,
	PRIMARY KEY(`merchant`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `places` (
	`merchant` integer NOT NULL,
	`day` integer NOT NULL,
	`partition` text NOT NULL,
	PRIMARY KEY(`merchant`, `day`, `partition`)
) WITHOUT ROWID;
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
--> statement-breakpoint
INSERT INTO `places` SELECT `merchant`, `bucket`, `partition` FROM `daily`;
--> statement-breakpoint
INSERT INTO `uncounted` SELECT d.`merchant`, d.`bucket`, d.`partition`, a.`late_marks` FROM `daily` AS d
	JOIN `archive_days` AS a ON a.`day` = d.`bucket` AND a.`partition` = d.`partition` WHERE a.`late_since` IS NOT NULL;
