// A line of the log, for operators and alerts: `{"event":"rates_fetched","days":64}`, or `{"alert":"dead_letters",…}`
// where somebody has to look. A host writes it as JSON. It never holds a secret, or what a visitor sent.

export type LogLine = Readonly<Record<string, string | number>>;
export type Log = (line: LogLine) => void;
