// What is on the screen while there is no result yet: light that moves slowly, the mark in a ring, a number.
import { Mark } from '../../components/mark';

const RADIUS = 44;
const LENGTH = 2 * Math.PI * RADIUS;

interface Props {
  percent: number;
  /** Shown in the middle of the ring. */
  figure: string | null;
  /** A ring that only turns: there is nothing to measure yet. */
  isWaiting: boolean;
}

export function Developing({ percent, figure, isWaiting }: Props) {
  const shown = isWaiting ? 12 : Math.max(3, percent);
  return (
    <div className="absolute inset-0">
      <div className="absolute inset-y-0 left-1/2 w-[min(100vw,64rem)] -translate-x-1/2">
        <div className="absolute -inset-y-1/4 left-0 aspect-square animate-drift glow text-mint opacity-25" />
        <div className="absolute -inset-y-1/5 right-0 aspect-square animate-drift-back glow text-[#4f7df0] opacity-25" />
      </div>
      <div className="absolute inset-0 grid place-items-center">
        <div className="relative grid size-28 place-items-center sm:size-36">
          <svg
            viewBox="0 0 100 100"
            aria-hidden="true"
            className={`absolute inset-0 -rotate-90 ${isWaiting ? 'animate-turn [animation-duration:3s]' : ''}`}
          >
            <circle cx="50" cy="50" r={RADIUS} fill="none" strokeWidth="3" className="stroke-line" />
            <circle
              cx="50"
              cy="50"
              r={RADIUS}
              fill="none"
              strokeWidth="3"
              strokeLinecap="round"
              className="stroke-mint transition-[stroke-dashoffset] duration-1000 ease-linear"
              strokeDasharray={LENGTH}
              strokeDashoffset={LENGTH * (1 - shown / 100)}
            />
          </svg>
          <Mark className="absolute size-2/3 animate-turn text-mint-text opacity-15" />
          {figure !== null && <span className="nums relative text-2xl font-semibold">{figure}</span>}
        </div>
      </div>
    </div>
  );
}
