CREATE TABLE `settings_changes` (
	`merchant` integer PRIMARY KEY NOT NULL,
	`change` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `settings_changes_change` ON `settings_changes` (`change`);
--> statement-breakpoint
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
