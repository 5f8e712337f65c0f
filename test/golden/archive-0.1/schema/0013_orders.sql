-- Orders, refunds, units and money by currency become counters. Amounts that were added up before are of the merchant's currency;
-- gross is told apart from net, and breakdowns are read again, once a rebuild has counted the Days from the archive (docs/replay.md).
ALTER TABLE `hourly` ADD `orders` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `hourly` ADD `refunds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `hourly` ADD `units` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `hourly` ADD `money` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `hourly` ADD `by_product` blob;--> statement-breakpoint
UPDATE `hourly` SET `money` = (SELECT json_object(`currency`, json_array(`hourly`.`revenue`, `hourly`.`revenue`, 0, 0, 0, 0)) FROM `merchants` WHERE `number` = `hourly`.`merchant`)
  WHERE `revenue` <> 0 AND `merchant` IN (SELECT `number` FROM `merchants`);--> statement-breakpoint
UPDATE `hourly` SET `by_page` = NULL, `by_hostname` = NULL, `by_name` = NULL, `by_stream` = NULL, `by_goal` = NULL, `by_entry_page` = NULL, `by_exit_page` = NULL, `by_source` = NULL, `by_referrer` = NULL, `by_utm_source` = NULL, `by_utm_medium` = NULL, `by_utm_campaign` = NULL, `by_utm_content` = NULL, `by_utm_term` = NULL, `by_channel` = NULL, `by_country` = NULL, `by_region` = NULL, `by_city` = NULL, `by_browser` = NULL, `by_os` = NULL, `by_device` = NULL, `by_language` = NULL;--> statement-breakpoint
ALTER TABLE `hourly` DROP COLUMN `revenue`;--> statement-breakpoint
ALTER TABLE `hourly` DROP COLUMN `foreign_revenue`;--> statement-breakpoint
ALTER TABLE `daily` ADD `orders` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `daily` ADD `refunds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `daily` ADD `units` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `daily` ADD `money` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `daily` ADD `by_product` blob;--> statement-breakpoint
UPDATE `daily` SET `money` = (SELECT json_object(`currency`, json_array(`daily`.`revenue`, `daily`.`revenue`, 0, 0, 0, 0)) FROM `merchants` WHERE `number` = `daily`.`merchant`)
  WHERE `revenue` <> 0 AND `merchant` IN (SELECT `number` FROM `merchants`);--> statement-breakpoint
UPDATE `daily` SET `by_page` = NULL, `by_hostname` = NULL, `by_name` = NULL, `by_stream` = NULL, `by_goal` = NULL, `by_entry_page` = NULL, `by_exit_page` = NULL, `by_source` = NULL, `by_referrer` = NULL, `by_utm_source` = NULL, `by_utm_medium` = NULL, `by_utm_campaign` = NULL, `by_utm_content` = NULL, `by_utm_term` = NULL, `by_channel` = NULL, `by_country` = NULL, `by_region` = NULL, `by_city` = NULL, `by_browser` = NULL, `by_os` = NULL, `by_device` = NULL, `by_language` = NULL;--> statement-breakpoint
ALTER TABLE `daily` DROP COLUMN `revenue`;--> statement-breakpoint
ALTER TABLE `daily` DROP COLUMN `foreign_revenue`;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `orders` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `refunds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `units` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `money` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `by_product` blob;--> statement-breakpoint
UPDATE `replay_undo` SET `money` = (SELECT json_object(`currency`, json_array(`replay_undo`.`revenue`, `replay_undo`.`revenue`, 0, 0, 0, 0)) FROM `merchants` WHERE `number` = `replay_undo`.`merchant`)
  WHERE `revenue` <> 0 AND `merchant` IN (SELECT `number` FROM `merchants`);--> statement-breakpoint
UPDATE `replay_undo` SET `by_page` = NULL, `by_hostname` = NULL, `by_name` = NULL, `by_stream` = NULL, `by_goal` = NULL, `by_entry_page` = NULL, `by_exit_page` = NULL, `by_source` = NULL, `by_referrer` = NULL, `by_utm_source` = NULL, `by_utm_medium` = NULL, `by_utm_campaign` = NULL, `by_utm_content` = NULL, `by_utm_term` = NULL, `by_channel` = NULL, `by_country` = NULL, `by_region` = NULL, `by_city` = NULL, `by_browser` = NULL, `by_os` = NULL, `by_device` = NULL, `by_language` = NULL;--> statement-breakpoint
ALTER TABLE `replay_undo` DROP COLUMN `revenue`;--> statement-breakpoint
ALTER TABLE `replay_undo` DROP COLUMN `foreign_revenue`;
