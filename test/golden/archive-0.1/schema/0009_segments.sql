CREATE TABLE `segments` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`name` text NOT NULL,
	`filters` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `segments_of` ON `segments` (`merchant`,`name`);--> statement-breakpoint
CREATE INDEX `replay_jobs_state` ON `replay_jobs` (`state`);