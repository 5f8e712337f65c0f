// The languages that notices are written in: those of the dashboard.

export const LANGUAGES = ["en", "de", "fr", "es", "pt", "ar"] as const;
export type Language = (typeof LANGUAGES)[number];
