ALTER TABLE `merchants` ADD `past_zones` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_jobs` ADD `past_zone` text;