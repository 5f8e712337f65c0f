-- Known visitors are counted, and of a Day they alone stay in sketches. Rows from before say nothing of that: all their visitors
-- are in the sketch, so all count as known. Breakdowns are read again once a rebuild has counted the Days (docs/replay.md).
ALTER TABLE `hourly` ADD `known` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `hourly` ADD `presence` blob DEFAULT x'' NOT NULL;--> statement-breakpoint
UPDATE `hourly` SET `known` = `visitors`;--> statement-breakpoint
UPDATE `hourly` SET `by_page` = NULL, `by_hostname` = NULL, `by_name` = NULL, `by_stream` = NULL, `by_goal` = NULL, `by_entry_page` = NULL, `by_exit_page` = NULL, `by_source` = NULL, `by_referrer` = NULL, `by_utm_source` = NULL, `by_utm_medium` = NULL, `by_utm_campaign` = NULL, `by_utm_content` = NULL, `by_utm_term` = NULL, `by_channel` = NULL, `by_country` = NULL, `by_region` = NULL, `by_city` = NULL, `by_browser` = NULL, `by_os` = NULL, `by_device` = NULL, `by_language` = NULL, `by_product` = NULL;--> statement-breakpoint
ALTER TABLE `daily` ADD `known` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `daily` ADD `presence` blob DEFAULT x'' NOT NULL;--> statement-breakpoint
UPDATE `daily` SET `known` = `visitors`;--> statement-breakpoint
UPDATE `daily` SET `by_page` = NULL, `by_hostname` = NULL, `by_name` = NULL, `by_stream` = NULL, `by_goal` = NULL, `by_entry_page` = NULL, `by_exit_page` = NULL, `by_source` = NULL, `by_referrer` = NULL, `by_utm_source` = NULL, `by_utm_medium` = NULL, `by_utm_campaign` = NULL, `by_utm_content` = NULL, `by_utm_term` = NULL, `by_channel` = NULL, `by_country` = NULL, `by_region` = NULL, `by_city` = NULL, `by_browser` = NULL, `by_os` = NULL, `by_device` = NULL, `by_language` = NULL, `by_product` = NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `known` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `presence` blob DEFAULT x'' NOT NULL;--> statement-breakpoint
UPDATE `replay_undo` SET `known` = `visitors`;--> statement-breakpoint
UPDATE `replay_undo` SET `by_page` = NULL, `by_hostname` = NULL, `by_name` = NULL, `by_stream` = NULL, `by_goal` = NULL, `by_entry_page` = NULL, `by_exit_page` = NULL, `by_source` = NULL, `by_referrer` = NULL, `by_utm_source` = NULL, `by_utm_medium` = NULL, `by_utm_campaign` = NULL, `by_utm_content` = NULL, `by_utm_term` = NULL, `by_channel` = NULL, `by_country` = NULL, `by_region` = NULL, `by_city` = NULL, `by_browser` = NULL, `by_os` = NULL, `by_device` = NULL, `by_language` = NULL, `by_product` = NULL;
