// A row of choices of which one is taken: native radio buttons, so arrows, labels and forms work by themselves.
import { useId, type ReactNode } from 'react';

export interface Choice<Value> {
  value: Value;
  label: ReactNode;
  /** What a screen reader says where the label is a drawing or an abbreviation. */
  spoken?: string;
  isDisabled?: boolean;
}

interface Props<Value> {
  legend: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  isLegendHidden?: boolean;
  /** Why some of them cannot be chosen, or why this one is. */
  note?: ReactNode;
}

const IN_ONE_ROW_MAX = 6;

export function Segmented<Value extends string | number>({
  legend,
  choices,
  value,
  onChange,
  isLegendHidden = false,
  note,
}: Props<Value>) {
  const name = useId();
  const noteId = useId();
  const isMany = choices.length > IN_ONE_ROW_MAX;
  const layout = isMany ? 'grid grid-cols-[repeat(auto-fill,minmax(3.25rem,1fr))]' : 'flex flex-wrap';
  return (
    <fieldset className={`min-w-0 ${isMany ? 'basis-full' : ''}`} aria-describedby={noteId}>
      <legend className={isLegendHidden ? 'sr-only' : 'mb-1.5 text-xs text-muted'}>{legend}</legend>
      <div className={`gap-1 rounded-xl bg-raised p-1 ${layout}`}>
        {choices.map((choice) => (
          <label
            key={choice.value}
            className="relative flex min-h-9 flex-1 cursor-pointer items-center justify-center gap-1.5 rounded-lg px-2 text-sm font-medium whitespace-nowrap text-muted transition-colors hover:text-text has-checked:bg-mint-wash has-checked:text-mint-text has-checked:inset-ring has-checked:inset-ring-mint/40 has-disabled:cursor-not-allowed has-disabled:text-muted/45 has-focus-visible:outline-2 has-focus-visible:outline-mint-text"
          >
            <input
              type="radio"
              name={name}
              className="absolute inset-0 cursor-pointer appearance-none rounded-lg outline-none disabled:cursor-not-allowed"
              checked={choice.value === value}
              disabled={choice.isDisabled}
              aria-label={choice.spoken}
              onChange={() => onChange(choice.value)}
            />
            {choice.label}
          </label>
        ))}
      </div>
      <div id={noteId} role="status" className="w-0 min-w-full empty:hidden">
        {note}
      </div>
    </fieldset>
  );
}
