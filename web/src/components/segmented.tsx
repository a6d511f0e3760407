// A row of choices of which one is taken: native radio buttons, so arrows, labels and forms work by themselves.
import { useId, type ReactNode } from 'react';

export interface Choice<Value> {
  value: Value;
  label: ReactNode;
  /** What a screen reader says where the label is a drawing or an abbreviation. */
  spoken?: string;
}

interface Props<Value> {
  legend: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  isLegendHidden?: boolean;
}

export function Segmented<Value extends string | number>({
  legend,
  choices,
  value,
  onChange,
  isLegendHidden = false,
}: Props<Value>) {
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className={isLegendHidden ? 'sr-only' : 'mb-1.5 text-xs text-muted'}>{legend}</legend>
      <div className="flex flex-wrap gap-1 rounded-xl bg-raised p-1">
        {choices.map((choice) => (
          <label
            key={choice.value}
            className="relative flex min-h-9 flex-1 cursor-pointer items-center justify-center gap-1.5 rounded-lg px-2 text-sm font-medium whitespace-nowrap text-muted transition-colors hover:text-text has-checked:bg-mint-wash has-checked:text-mint-text has-checked:inset-ring has-checked:inset-ring-mint/40 has-focus-visible:outline-2 has-focus-visible:outline-mint-text"
          >
            <input
              type="radio"
              name={name}
              className="absolute inset-0 cursor-pointer appearance-none rounded-lg outline-none"
              checked={choice.value === value}
              aria-label={choice.spoken}
              onChange={() => onChange(choice.value)}
            />
            {choice.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
