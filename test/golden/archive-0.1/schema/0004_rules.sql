CREATE TABLE `rule_versions` (
	`merchant` integer NOT NULL,
	`version` integer NOT NULL,
	`rules` text NOT NULL,
	`note` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`merchant`, `version`)
);
--> statement-breakpoint
ALTER TABLE `daily` ADD `by_goal` blob;--> statement-breakpoint
ALTER TABLE `hourly` ADD `by_goal` blob;--> statement-breakpoint
ALTER TABLE `replay_undo` ADD `by_goal` blob;
--> statement-breakpoint
INSERT INTO `merchants` (`number`, `id`, `name`, `zones`, `currency`, `rules`, `version`, `created_at`)
	VALUES (0, 'global', 'rules that hold for all merchants', '[{"from":0,"zone":"UTC"}]', 'XXX', '[]', 1, 0);
--> statement-breakpoint
INSERT INTO `rule_versions` (`merchant`, `version`, `rules`, `note`, `created_at`)
	SELECT `number`, 1, json_patch('{"bots":{"drop":[],"admit":[]},"referrers":{"drop":[],"admit":[]},"addresses":[],"asns":{"drop":[],"admit":[]},"hostnames":[],"paths":{"strip_ids":false,"keep_query":[],"replace":[]},"channels":[],"goals":[]}', `rules`), '', `created_at`
	FROM `merchants` WHERE json_array_length(`rules`, '$.hostnames') > 0;
--> statement-breakpoint
UPDATE `merchants` SET `version` = `version` + 1, `rules` = coalesce(
	(SELECT json_array(json_object('version', 1, 'rules', json(`rule_versions`.`rules`), 'from', 0)) FROM `rule_versions` WHERE `merchant` = `number`), '[]')
	WHERE `number` > 0;
