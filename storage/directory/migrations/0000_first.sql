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
	`state` text NOT NULL,
	`place` text,
	`tally` text NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
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
	`created_at` integer NOT NULL
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
	`past_zones` text DEFAULT '[]' NOT NULL
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
	`expires_at` integer
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
CREATE TABLE `streams` (
	`merchant` integer NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`hostname` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`merchant`, `number`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `streams_hostname_unique` ON `streams` (`hostname`);--> statement-breakpoint
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
	`expires_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `operators_hash_unique` ON `operators` (`hash`);
--> statement-breakpoint
CREATE TRIGGER `merchants_made` AFTER INSERT ON `merchants` BEGIN
	INSERT INTO `settings_changes` (`merchant`, `change`)
		VALUES (NEW.`number`, (SELECT coalesce(max(`change`), 0) + 1 FROM `settings_changes`))
		ON CONFLICT (`merchant`) DO UPDATE SET `change` = excluded.`change`;
END;
