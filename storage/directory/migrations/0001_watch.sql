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
