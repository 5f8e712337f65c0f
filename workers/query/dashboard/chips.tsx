// The filters of the view, each a chip whose operator can be changed, and the form that adds one, with
// the values that were seen.

import { useEffect, useRef, useState } from "preact/hooks";
import { OPERATORS, type Operator, withFilter } from "./address.ts";
import { DIMENSION_NAMES, DIMENSIONS, type DimensionName } from "./dimension.ts";
import { ask, go, parts, view } from "./store.ts";
import { named, t, valueName } from "./text.ts";

/** The filters in force, and a button for one more. */
export function Chips() {
  const { filters } = view.value;
  const change = (index: number, operator: Operator) =>
    go({ filters: filters.map((filter, at) => (at === index ? { ...filter, operator } : filter)) });
  return (
    <ul class="chips" aria-label={t("filters")}>
      {filters.map(({ operator, dimension, values }, index) => (
        <li key={`${dimension}${index}`} class="chip">
          <span>{named(dimension)}</span>
          <select
            aria-label={`${named(dimension)}: ${t("filterHow")}`}
            value={operator}
            onChange={(event) => change(index, event.currentTarget.value as Operator)}
          >
            {Object.keys(OPERATORS).map((one) => (
              <option key={one} value={one}>
                {named(`op_${one}`)}
              </option>
            ))}
          </select>
          <b>
            <bdi>{values.map((one) => valueName(dimension, one)).join(` ${t("or")} `)}</bdi>
          </b>
          <button
            type="button"
            aria-label={t("removeFilter", { name: named(dimension) })}
            onClick={() => {
              go({ filters: filters.filter((_, at) => at !== index) });
              document.getElementById("filter-button")?.focus();
            }}
          >
            ×
          </button>
        </li>
      ))}
      <li>
        <button type="button" popovertarget="filter" id="filter-button" aria-haspopup="dialog">
          + {t("addFilter")}
        </button>
        <Builder />
      </li>
    </ul>
  );
}

/**
 * Chooses a dimension and one of its values. What is typed narrows the list; Enter takes the marked
 * value, or what was typed.
 */
function Builder() {
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [dimension, setDimension] = useState<DimensionName>("source");
  const [operator, setOperator] = useState<Operator>("is");
  const [text, setText] = useState("");
  const [marked, setMarked] = useState(-1);
  const known = parts.value["drawer-filter"]?.answer?.results ?? [];
  const values = known.map(({ dimensions }) => dimensions[0] ?? "").filter((one) => one !== "(other)");
  useEffect(() => {
    if (!isOpen) return undefined;
    const later = setTimeout(
      () => {
        const only = text === "" ? [] : [["contains", DIMENSIONS[dimension], [text], { case_sensitive: false }]];
        const question = {
          metrics: ["visitors"],
          dimensions: [DIMENSIONS[dimension]],
          filters: only,
          pagination: { limit: 8 },
        };
        ask({ "drawer-filter": question });
      },
      text === "" ? 0 : 200,
    );
    return () => clearTimeout(later);
  }, [isOpen, dimension, text]);
  const take = (value: string) => {
    if (value === "") return;
    go({ filters: withFilter(view.value.filters, { operator, dimension, values: [value] }) });
    setText("");
    setMarked(-1);
    box.current?.hidePopover();
  };
  const key = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      take(values[marked] ?? text.trim());
    } else if (move !== undefined) {
      event.preventDefault();
      setMarked(Math.max(-1, Math.min(values.length - 1, marked + move)));
    }
  };
  return (
    <div
      id="filter"
      popover="auto"
      ref={box}
      role="dialog"
      aria-label={t("addFilter")}
      class="menu builder"
      onToggle={(event) => {
        const opened = (event as unknown as ToggleEvent).newState === "open";
        setOpen(opened);
        if (opened) input.current?.focus();
      }}
    >
      <div class="pair">
        <select
          aria-label={t("filterBy")}
          value={dimension}
          onChange={(event) => {
            setDimension(event.currentTarget.value as DimensionName);
            setMarked(-1);
          }}
        >
          {DIMENSION_NAMES.map((name) => (
            <option key={name} value={name}>
              {named(name)}
            </option>
          ))}
        </select>
        <select
          aria-label={t("filterHow")}
          value={operator}
          onChange={(event) => setOperator(event.currentTarget.value as Operator)}
        >
          {Object.keys(OPERATORS).map((one) => (
            <option key={one} value={one}>
              {named(`op_${one}`)}
            </option>
          ))}
        </select>
      </div>
      <input
        ref={input}
        role="combobox"
        aria-label={t("filterValue")}
        placeholder={t("filterValue")}
        aria-expanded={values.length > 0}
        aria-controls="filter-values"
        aria-autocomplete="list"
        aria-activedescendant={marked >= 0 ? `filter-value-${marked}` : undefined}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setMarked(-1);
        }}
        onKeyDown={key}
      />
      {values.length === 0 && isOpen && parts.value["drawer-filter"]?.isStale === false && (
        <p class="mute">{t("filterNone")}</p>
      )}
      <div id="filter-values" role="listbox" aria-label={t("filterSuggestions")} hidden={values.length === 0}>
        {values.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the combobox's
          <div
            key={one}
            id={`filter-value-${index}`}
            role="option"
            aria-selected={index === marked}
            tabIndex={-1}
            onClick={() => take(one)}
          >
            <bdi>{valueName(dimension, one)}</bdi>
          </div>
        ))}
      </div>
    </div>
  );
}
