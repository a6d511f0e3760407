// The sign of the house: four mint leaves that close like an aperture.
const LEAF = 'M16 15C14 10 16 5.6 21 4.5 23.2 9.5 21.3 13.6 16 15Z';
const TURNS = [0, 90, 180, 270];

export function Mark({ className = '' }: { className?: string }) {
  return (
    <svg viewBox="3 3 26 26" className={className} aria-hidden="true" fill="currentColor">
      {TURNS.map((degrees) => (
        <path key={degrees} d={LEAF} transform={`rotate(${degrees} 16 16)`} />
      ))}
    </svg>
  );
}
