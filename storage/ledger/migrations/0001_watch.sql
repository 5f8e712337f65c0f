CREATE TABLE `partition_status` (
	`partition` text PRIMARY KEY NOT NULL,
	`told_at` integer NOT NULL,
	`publish_due` integer,
	`events` integer NOT NULL,
	`archived_events` integer NOT NULL,
	`unarchived_since` integer,
	`unconfirmed_bundles` integer NOT NULL,
	`held_bytes` integer NOT NULL,
	`merchants` integer NOT NULL,
	`failing` text NOT NULL
) WITHOUT ROWID;
