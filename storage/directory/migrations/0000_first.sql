CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`scope` text DEFAULT 'read' NOT NULL,
	`last_used_at` integer,
	`previous_hash` text,
	`previous_until` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash_unique` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_previous_hash_unique` ON `api_keys` (`previous_hash`);--> statement-breakpoint
CREATE INDEX `api_keys_merchant` ON `api_keys` (`merchant`);--> statement-breakpoint
CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`merchant` integer,
	`act` text NOT NULL,
	`target` text,
	`details` text NOT NULL,
	`outcome` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_merchant` ON `audit` (`merchant`,`id`);--> statement-breakpoint
CREATE TABLE `claimed_ledgers` (
	`position` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`named` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE `deployment` (
	`id` integer PRIMARY KEY NOT NULL,
	`ledgers` integer NOT NULL,
	`epoch` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `imports` (
	`merchant` integer NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`source` text NOT NULL,
	`digest` text NOT NULL,
	`head` text NOT NULL,
	`reading` text NOT NULL,
	`id_suffix` text NOT NULL,
	`days` text NOT NULL,
	`first_day` integer NOT NULL,
	`last_day` integer NOT NULL,
	`events` integer NOT NULL,
	`state` text NOT NULL,
	`place` text,
	`tally` text NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`tables` text,
	`undone` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`merchant`, `number`)
);
--> statement-breakpoint
CREATE TABLE `invites` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`email` text NOT NULL,
	`role` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `invites_hash_unique` ON `invites` (`hash`);--> statement-breakpoint
CREATE INDEX `invites_merchant` ON `invites` (`merchant`);--> statement-breakpoint
CREATE TABLE `members` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`email` text NOT NULL,
	`role` text NOT NULL,
	`password` text,
	`created_at` integer NOT NULL,
	`preferences` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `members_of` ON `members` (`merchant`,`email`);--> statement-breakpoint
CREATE INDEX `members_email` ON `members` (`email`);--> statement-breakpoint
CREATE TABLE `merchants` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`zones` text NOT NULL,
	`currency` text NOT NULL,
	`rules` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`retention_days` integer,
	`spread` text DEFAULT '[]' NOT NULL,
	`currencies` text DEFAULT '[]' NOT NULL,
	`past_zones` text DEFAULT '[]' NOT NULL,
	`imported` text DEFAULT '[]' NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `merchants_id_unique` ON `merchants` (`id`);--> statement-breakpoint
CREATE INDEX `merchants_moved` ON `merchants` (`number`) WHERE past_zones <> '[]';--> statement-breakpoint
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
CREATE TABLE `replay_jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`from_day` integer NOT NULL,
	`to_day` integer NOT NULL,
	`merchants` text,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`rules` text DEFAULT 'dated' NOT NULL,
	`draft` text,
	`applied` text,
	`dimensions` text,
	`past_zone` text,
	`import` integer,
	`ledgers` text DEFAULT '[]' NOT NULL,
	`epoch` integer DEFAULT 0 NOT NULL,
	`fenced` integer DEFAULT 0 NOT NULL,
	`pruned` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE INDEX `replay_jobs_state` ON `replay_jobs` (`state`);--> statement-breakpoint
CREATE INDEX `replay_jobs_unfenced` ON `replay_jobs` (`id`) WHERE fenced < epoch;--> statement-breakpoint
CREATE TABLE `rule_versions` (
	`merchant` integer NOT NULL,
	`version` integer NOT NULL,
	`rules` text NOT NULL,
	`note` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`merchant`, `version`)
);
--> statement-breakpoint
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
CREATE TABLE `sessions` (
	`hash` text NOT NULL,
	`member` text NOT NULL,
	`expires_at` integer NOT NULL,
	`agent` text DEFAULT '' NOT NULL,
	PRIMARY KEY(`hash`, `member`)
);
--> statement-breakpoint
CREATE INDEX `sessions_member` ON `sessions` (`member`);--> statement-breakpoint
CREATE INDEX `sessions_end` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `settings_changes` (
	`merchant` integer PRIMARY KEY NOT NULL,
	`change` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `settings_changes_change` ON `settings_changes` (`change`);--> statement-breakpoint
CREATE TABLE `shares` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`filters` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`embed_origins` text DEFAULT '[]' NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `shares_hash_unique` ON `shares` (`hash`);--> statement-breakpoint
CREATE INDEX `shares_merchant` ON `shares` (`merchant`);--> statement-breakpoint
CREATE TABLE `sign_ins` (
	`hash` text PRIMARY KEY NOT NULL,
	`attempts` integer NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `sign_ins_end` ON `sign_ins` (`until`);--> statement-breakpoint
CREATE TABLE `notes` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`day` integer NOT NULL,
	`text` text NOT NULL,
	`author` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `notes_of` ON `notes` (`merchant`,`day`);--> statement-breakpoint
CREATE TABLE `views` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`name` text NOT NULL,
	`page` text NOT NULL,
	`search` text NOT NULL,
	`created_at` integer NOT NULL,
	`owner` text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `views_of` ON `views` (`merchant`,`owner`,`name`);--> statement-breakpoint
CREATE TABLE `streams` (
	`merchant` integer NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`hostname` text,
	`created_at` integer NOT NULL,
	`hostname_proof` text,
	PRIMARY KEY(`merchant`, `number`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `streams_said` ON `streams` (`merchant`,`hostname`);--> statement-breakpoint
CREATE UNIQUE INDEX `streams_proven` ON `streams` (`hostname`) WHERE hostname_proof IS NOT NULL;--> statement-breakpoint
CREATE TRIGGER `merchants_updated` AFTER UPDATE OF `version` ON `merchants` BEGIN
	INSERT INTO `settings_changes` (`merchant`, `change`)
		VALUES (NEW.`number`, (SELECT coalesce(max(`change`), 0) + 1 FROM `settings_changes`))
		ON CONFLICT (`merchant`) DO UPDATE SET `change` = excluded.`change`;
END;
--> statement-breakpoint
CREATE TRIGGER `merchants_deleted` AFTER DELETE ON `merchants` BEGIN
	INSERT INTO `settings_changes` (`merchant`, `change`)
		VALUES (OLD.`number`, (SELECT coalesce(max(`change`), 0) + 1 FROM `settings_changes`))
		ON CONFLICT (`merchant`) DO UPDATE SET `change` = excluded.`change`;
END;
--> statement-breakpoint
INSERT INTO `merchants` (`number`, `id`, `name`, `zones`, `currency`, `rules`, `version`, `created_at`)
	VALUES (0, 'global', 'rules that hold for all merchants', '[{"from":0,"zone":"UTC"}]', 'XXX', '[]', 1, 0);
--> statement-breakpoint
CREATE TABLE `alerts` (
	`name` text PRIMARY KEY NOT NULL,
	`severity` text NOT NULL,
	`says` text NOT NULL,
	`since` integer NOT NULL,
	`until` integer,
	`told_at` integer
);
--> statement-breakpoint
CREATE TABLE `standings` (
	`id` integer PRIMARY KEY NOT NULL,
	`standing` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `operators` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`scope` text NOT NULL,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`email` text,
	`group_name` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `operators_hash_unique` ON `operators` (`hash`);
--> statement-breakpoint
CREATE TRIGGER `merchants_made` AFTER INSERT ON `merchants` BEGIN
	INSERT INTO `settings_changes` (`merchant`, `change`)
		VALUES (NEW.`number`, (SELECT coalesce(max(`change`), 0) + 1 FROM `settings_changes`))
		ON CONFLICT (`merchant`) DO UPDATE SET `change` = excluded.`change`;
END;
--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`id` text PRIMARY KEY NOT NULL,
	`merchant` integer NOT NULL,
	`channel` text NOT NULL,
	`target` text NOT NULL,
	`topics` text NOT NULL,
	`language` text NOT NULL,
	`quiet` text,
	`goal` text,
	`state` text NOT NULL,
	`reason` text NOT NULL,
	`secret` text,
	`previous_secret` text,
	`previous_until` integer,
	`paused_until` integer,
	`created_at` integer NOT NULL,
	`report_at` integer,
	`look_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `subscriptions_of` ON `subscriptions` (`merchant`,`channel`,`target`);
--> statement-breakpoint
CREATE INDEX `subscriptions_report` ON `subscriptions` (`report_at`);
--> statement-breakpoint
CREATE INDEX `subscriptions_look` ON `subscriptions` (`look_at`);
--> statement-breakpoint
CREATE TABLE `row_changes` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`table_name` text NOT NULL,
	`gone` integer NOT NULL,
	`row` text NOT NULL
);
--> statement-breakpoint
CREATE TRIGGER `merchants_logged_made` AFTER INSERT ON `merchants` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'merchants', 0, json_array(NEW.`number`, NEW.`id`, NEW.`name`, NEW.`zones`, NEW.`currency`, NEW.`rules`, NEW.`version`, NEW.`created_at`, NEW.`retention_days`, NEW.`spread`, NEW.`currencies`, NEW.`past_zones`, NEW.`imported`));
END;
--> statement-breakpoint
CREATE TRIGGER `merchants_logged_changed` AFTER UPDATE OF `number`, `id`, `name`, `zones`, `currency`, `rules`, `created_at`, `retention_days`, `spread`, `currencies`, `past_zones`, `imported` ON `merchants` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'merchants', 0, json_array(NEW.`number`, NEW.`id`, NEW.`name`, NEW.`zones`, NEW.`currency`, NEW.`rules`, NEW.`version`, NEW.`created_at`, NEW.`retention_days`, NEW.`spread`, NEW.`currencies`, NEW.`past_zones`, NEW.`imported`));
END;
--> statement-breakpoint
CREATE TRIGGER `merchants_logged_gone` AFTER DELETE ON `merchants` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'merchants', 1, json_array(OLD.`number`, OLD.`id`, OLD.`name`, OLD.`zones`, OLD.`currency`, OLD.`rules`, OLD.`version`, OLD.`created_at`, OLD.`retention_days`, OLD.`spread`, OLD.`currencies`, OLD.`past_zones`, OLD.`imported`));
END;
--> statement-breakpoint
CREATE TRIGGER `streams_logged_made` AFTER INSERT ON `streams` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'streams', 0, json_array(NEW.`merchant`, NEW.`number`, NEW.`name`, NEW.`hostname`, NEW.`created_at`, NEW.`hostname_proof`));
END;
--> statement-breakpoint
CREATE TRIGGER `streams_logged_changed` AFTER UPDATE ON `streams` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'streams', 0, json_array(NEW.`merchant`, NEW.`number`, NEW.`name`, NEW.`hostname`, NEW.`created_at`, NEW.`hostname_proof`));
END;
--> statement-breakpoint
CREATE TRIGGER `streams_logged_gone` AFTER DELETE ON `streams` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'streams', 1, json_array(OLD.`merchant`, OLD.`number`, OLD.`name`, OLD.`hostname`, OLD.`created_at`, OLD.`hostname_proof`));
END;
--> statement-breakpoint
CREATE TRIGGER `api_keys_logged_made` AFTER INSERT ON `api_keys` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'api_keys', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`hash`, NEW.`hint`, NEW.`created_at`, NEW.`expires_at`, NEW.`scope`, NEW.`last_used_at`, NEW.`previous_hash`, NEW.`previous_until`));
END;
--> statement-breakpoint
CREATE TRIGGER `api_keys_logged_changed` AFTER UPDATE OF `id`, `merchant`, `name`, `hash`, `hint`, `created_at`, `expires_at`, `scope`, `previous_hash`, `previous_until` ON `api_keys` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'api_keys', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`hash`, NEW.`hint`, NEW.`created_at`, NEW.`expires_at`, NEW.`scope`, NEW.`last_used_at`, NEW.`previous_hash`, NEW.`previous_until`));
END;
--> statement-breakpoint
CREATE TRIGGER `api_keys_logged_gone` AFTER DELETE ON `api_keys` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'api_keys', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`name`, OLD.`hash`, OLD.`hint`, OLD.`created_at`, OLD.`expires_at`, OLD.`scope`, OLD.`last_used_at`, OLD.`previous_hash`, OLD.`previous_until`));
END;
--> statement-breakpoint
CREATE TRIGGER `members_logged_made` AFTER INSERT ON `members` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'members', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`email`, NEW.`role`, NEW.`password`, NEW.`created_at`, NEW.`preferences`));
END;
--> statement-breakpoint
CREATE TRIGGER `members_logged_changed` AFTER UPDATE ON `members` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'members', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`email`, NEW.`role`, NEW.`password`, NEW.`created_at`, NEW.`preferences`));
END;
--> statement-breakpoint
CREATE TRIGGER `members_logged_gone` AFTER DELETE ON `members` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'members', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`email`, OLD.`role`, OLD.`password`, OLD.`created_at`, OLD.`preferences`));
END;
--> statement-breakpoint
CREATE TRIGGER `shares_logged_made` AFTER INSERT ON `shares` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'shares', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`hash`, NEW.`hint`, NEW.`filters`, NEW.`created_at`, NEW.`expires_at`, NEW.`embed_origins`));
END;
--> statement-breakpoint
CREATE TRIGGER `shares_logged_changed` AFTER UPDATE ON `shares` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'shares', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`hash`, NEW.`hint`, NEW.`filters`, NEW.`created_at`, NEW.`expires_at`, NEW.`embed_origins`));
END;
--> statement-breakpoint
CREATE TRIGGER `shares_logged_gone` AFTER DELETE ON `shares` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'shares', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`name`, OLD.`hash`, OLD.`hint`, OLD.`filters`, OLD.`created_at`, OLD.`expires_at`, OLD.`embed_origins`));
END;
--> statement-breakpoint
CREATE TRIGGER `segments_logged_made` AFTER INSERT ON `segments` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'segments', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`filters`, NEW.`created_at`, NEW.`updated_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `segments_logged_changed` AFTER UPDATE ON `segments` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'segments', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`filters`, NEW.`created_at`, NEW.`updated_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `segments_logged_gone` AFTER DELETE ON `segments` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'segments', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`name`, OLD.`filters`, OLD.`created_at`, OLD.`updated_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `views_logged_made` AFTER INSERT ON `views` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'views', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`page`, NEW.`search`, NEW.`created_at`, NEW.`owner`));
END;
--> statement-breakpoint
CREATE TRIGGER `views_logged_changed` AFTER UPDATE ON `views` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'views', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`name`, NEW.`page`, NEW.`search`, NEW.`created_at`, NEW.`owner`));
END;
--> statement-breakpoint
CREATE TRIGGER `views_logged_gone` AFTER DELETE ON `views` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'views', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`name`, OLD.`page`, OLD.`search`, OLD.`created_at`, OLD.`owner`));
END;
--> statement-breakpoint
CREATE TRIGGER `notes_logged_made` AFTER INSERT ON `notes` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'notes', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`day`, NEW.`text`, NEW.`author`, NEW.`created_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `notes_logged_changed` AFTER UPDATE ON `notes` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'notes', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`day`, NEW.`text`, NEW.`author`, NEW.`created_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `notes_logged_gone` AFTER DELETE ON `notes` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'notes', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`day`, OLD.`text`, OLD.`author`, OLD.`created_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `subscriptions_logged_made` AFTER INSERT ON `subscriptions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'subscriptions', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`channel`, NEW.`target`, NEW.`topics`, NEW.`language`, NEW.`quiet`, NEW.`goal`, NEW.`state`, NEW.`reason`, NEW.`secret`, NEW.`previous_secret`, NEW.`previous_until`, NEW.`paused_until`, NEW.`created_at`, NEW.`report_at`, NEW.`look_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `subscriptions_logged_changed` AFTER UPDATE OF `id`, `merchant`, `channel`, `target`, `topics`, `language`, `quiet`, `goal`, `state`, `reason`, `secret`, `previous_secret`, `previous_until`, `paused_until`, `created_at` ON `subscriptions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'subscriptions', 0, json_array(NEW.`id`, NEW.`merchant`, NEW.`channel`, NEW.`target`, NEW.`topics`, NEW.`language`, NEW.`quiet`, NEW.`goal`, NEW.`state`, NEW.`reason`, NEW.`secret`, NEW.`previous_secret`, NEW.`previous_until`, NEW.`paused_until`, NEW.`created_at`, NEW.`report_at`, NEW.`look_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `subscriptions_logged_gone` AFTER DELETE ON `subscriptions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'subscriptions', 1, json_array(OLD.`id`, OLD.`merchant`, OLD.`channel`, OLD.`target`, OLD.`topics`, OLD.`language`, OLD.`quiet`, OLD.`goal`, OLD.`state`, OLD.`reason`, OLD.`secret`, OLD.`previous_secret`, OLD.`previous_until`, OLD.`paused_until`, OLD.`created_at`, OLD.`report_at`, OLD.`look_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `operators_logged_made` AFTER INSERT ON `operators` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'operators', 0, json_array(NEW.`id`, NEW.`name`, NEW.`scope`, NEW.`hash`, NEW.`hint`, NEW.`created_at`, NEW.`expires_at`, NEW.`email`, NEW.`group_name`));
END;
--> statement-breakpoint
CREATE TRIGGER `operators_logged_changed` AFTER UPDATE ON `operators` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'operators', 0, json_array(NEW.`id`, NEW.`name`, NEW.`scope`, NEW.`hash`, NEW.`hint`, NEW.`created_at`, NEW.`expires_at`, NEW.`email`, NEW.`group_name`));
END;
--> statement-breakpoint
CREATE TRIGGER `operators_logged_gone` AFTER DELETE ON `operators` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'operators', 1, json_array(OLD.`id`, OLD.`name`, OLD.`scope`, OLD.`hash`, OLD.`hint`, OLD.`created_at`, OLD.`expires_at`, OLD.`email`, OLD.`group_name`));
END;
--> statement-breakpoint
CREATE TRIGGER `imports_logged_made` AFTER INSERT ON `imports` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'imports', 0, json_array(NEW.`merchant`, NEW.`number`, NEW.`name`, NEW.`source`, NEW.`digest`, NEW.`head`, NEW.`reading`, NEW.`id_suffix`, NEW.`days`, NEW.`first_day`, NEW.`last_day`, NEW.`events`, NEW.`state`, NEW.`place`, NEW.`tally`, NEW.`created_at`, NEW.`finished_at`, NEW.`tables`, NEW.`undone`));
END;
--> statement-breakpoint
CREATE TRIGGER `imports_logged_changed` AFTER UPDATE ON `imports` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'imports', 0, json_array(NEW.`merchant`, NEW.`number`, NEW.`name`, NEW.`source`, NEW.`digest`, NEW.`head`, NEW.`reading`, NEW.`id_suffix`, NEW.`days`, NEW.`first_day`, NEW.`last_day`, NEW.`events`, NEW.`state`, NEW.`place`, NEW.`tally`, NEW.`created_at`, NEW.`finished_at`, NEW.`tables`, NEW.`undone`));
END;
--> statement-breakpoint
CREATE TRIGGER `imports_logged_gone` AFTER DELETE ON `imports` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'imports', 1, json_array(OLD.`merchant`, OLD.`number`, OLD.`name`, OLD.`source`, OLD.`digest`, OLD.`head`, OLD.`reading`, OLD.`id_suffix`, OLD.`days`, OLD.`first_day`, OLD.`last_day`, OLD.`events`, OLD.`state`, OLD.`place`, OLD.`tally`, OLD.`created_at`, OLD.`finished_at`, OLD.`tables`, OLD.`undone`));
END;
--> statement-breakpoint
CREATE TRIGGER `rule_versions_logged_made` AFTER INSERT ON `rule_versions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rule_versions', 0, json_array(NEW.`merchant`, NEW.`version`, NEW.`rules`, NEW.`note`, NEW.`created_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `rule_versions_logged_changed` AFTER UPDATE ON `rule_versions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rule_versions', 0, json_array(NEW.`merchant`, NEW.`version`, NEW.`rules`, NEW.`note`, NEW.`created_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `rule_versions_logged_gone` AFTER DELETE ON `rule_versions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rule_versions', 1, json_array(OLD.`merchant`, OLD.`version`, OLD.`rules`, OLD.`note`, OLD.`created_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `rates_logged_made` AFTER INSERT ON `rates` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rates', 0, json_array(NEW.`day`, NEW.`per_euro`));
END;
--> statement-breakpoint
CREATE TRIGGER `rates_logged_changed` AFTER UPDATE ON `rates` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rates', 0, json_array(NEW.`day`, NEW.`per_euro`));
END;
--> statement-breakpoint
CREATE TRIGGER `rates_logged_gone` AFTER DELETE ON `rates` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rates', 1, json_array(OLD.`day`, OLD.`per_euro`));
END;
--> statement-breakpoint
CREATE TRIGGER `own_rates_logged_made` AFTER INSERT ON `own_rates` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'own_rates', 0, json_array(NEW.`merchant`, NEW.`currency`, NEW.`in`, NEW.`from_day`, NEW.`rate`));
END;
--> statement-breakpoint
CREATE TRIGGER `own_rates_logged_changed` AFTER UPDATE ON `own_rates` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'own_rates', 0, json_array(NEW.`merchant`, NEW.`currency`, NEW.`in`, NEW.`from_day`, NEW.`rate`));
END;
--> statement-breakpoint
CREATE TRIGGER `own_rates_logged_gone` AFTER DELETE ON `own_rates` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'own_rates', 1, json_array(OLD.`merchant`, OLD.`currency`, OLD.`in`, OLD.`from_day`, OLD.`rate`));
END;
--> statement-breakpoint
CREATE TRIGGER `rate_versions_logged_made` AFTER INSERT ON `rate_versions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rate_versions', 0, json_array(NEW.`merchant`, NEW.`version`, NEW.`fetched_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `rate_versions_logged_changed` AFTER UPDATE ON `rate_versions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rate_versions', 0, json_array(NEW.`merchant`, NEW.`version`, NEW.`fetched_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `rate_versions_logged_gone` AFTER DELETE ON `rate_versions` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'rate_versions', 1, json_array(OLD.`merchant`, OLD.`version`, OLD.`fetched_at`));
END;
--> statement-breakpoint
CREATE TRIGGER `replay_jobs_logged_made` AFTER INSERT ON `replay_jobs` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'replay_jobs', 0, json_array(NEW.`id`, NEW.`kind`, NEW.`state`, NEW.`from_day`, NEW.`to_day`, NEW.`merchants`, NEW.`created_at`, NEW.`finished_at`, NEW.`rules`, NEW.`draft`, NEW.`applied`, NEW.`dimensions`, NEW.`past_zone`, NEW.`import`, NEW.`ledgers`, NEW.`epoch`, NEW.`fenced`, NEW.`pruned`));
END;
--> statement-breakpoint
CREATE TRIGGER `replay_jobs_logged_changed` AFTER UPDATE ON `replay_jobs` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'replay_jobs', 0, json_array(NEW.`id`, NEW.`kind`, NEW.`state`, NEW.`from_day`, NEW.`to_day`, NEW.`merchants`, NEW.`created_at`, NEW.`finished_at`, NEW.`rules`, NEW.`draft`, NEW.`applied`, NEW.`dimensions`, NEW.`past_zone`, NEW.`import`, NEW.`ledgers`, NEW.`epoch`, NEW.`fenced`, NEW.`pruned`));
END;
--> statement-breakpoint
CREATE TRIGGER `replay_jobs_logged_gone` AFTER DELETE ON `replay_jobs` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'replay_jobs', 1, json_array(OLD.`id`, OLD.`kind`, OLD.`state`, OLD.`from_day`, OLD.`to_day`, OLD.`merchants`, OLD.`created_at`, OLD.`finished_at`, OLD.`rules`, OLD.`draft`, OLD.`applied`, OLD.`dimensions`, OLD.`past_zone`, OLD.`import`, OLD.`ledgers`, OLD.`epoch`, OLD.`fenced`, OLD.`pruned`));
END;
--> statement-breakpoint
CREATE TRIGGER `audit_logged_made` AFTER INSERT ON `audit` WHEN EXISTS (SELECT 1 FROM `deployment`) AND NEW.`outcome` = 'done' BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'audit', 0, json_array(NEW.`id`, NEW.`at`, NEW.`actor`, NEW.`merchant`, NEW.`act`, NEW.`target`, NEW.`details`, NEW.`outcome`));
END;
--> statement-breakpoint
CREATE TRIGGER `audit_logged_changed` AFTER UPDATE ON `audit` WHEN EXISTS (SELECT 1 FROM `deployment`) AND NEW.`outcome` = 'done' BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'audit', 0, json_array(NEW.`id`, NEW.`at`, NEW.`actor`, NEW.`merchant`, NEW.`act`, NEW.`target`, NEW.`details`, NEW.`outcome`));
END;
--> statement-breakpoint
CREATE TRIGGER `claimed_ledgers_logged_made` AFTER INSERT ON `claimed_ledgers` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'claimed_ledgers', 0, json_array(NEW.`position`, NEW.`name`, NEW.`named`));
END;
--> statement-breakpoint
CREATE TRIGGER `claimed_ledgers_logged_changed` AFTER UPDATE ON `claimed_ledgers` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'claimed_ledgers', 0, json_array(NEW.`position`, NEW.`name`, NEW.`named`));
END;
--> statement-breakpoint
CREATE TRIGGER `claimed_ledgers_logged_gone` AFTER DELETE ON `claimed_ledgers` WHEN EXISTS (SELECT 1 FROM `deployment`) BEGIN
	INSERT INTO `row_changes` (`at`, `table_name`, `gone`, `row`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), 'claimed_ledgers', 1, json_array(OLD.`position`, OLD.`name`, OLD.`named`));
END;
