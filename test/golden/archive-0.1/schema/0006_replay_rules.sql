ALTER TABLE `replay_jobs` ADD `rules` text DEFAULT 'dated' NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_jobs` ADD `draft` text;--> statement-breakpoint
ALTER TABLE `replay_jobs` ADD `applied` text;--> statement-breakpoint
ALTER TABLE `replay_jobs` ADD `dimensions` text;--> statement-breakpoint
ALTER TABLE `replay_parts` ADD `totals` text DEFAULT '[]' NOT NULL;