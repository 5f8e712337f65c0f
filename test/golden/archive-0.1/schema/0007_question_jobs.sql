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
