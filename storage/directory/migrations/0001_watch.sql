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
