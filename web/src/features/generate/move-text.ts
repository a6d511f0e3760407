// Where a camera move goes in the words of a prompt. Moves in one bracket happen together, brackets one after the other.

export interface Place {
  start: number;
  end: number;
}

/** What is written in the place of the selection: with the caret inside a bracket the move joins those that are there. */
export function moveText(prompt: string, { start, end }: Place, move: string): string {
  const before = prompt.slice(0, start);
  const after = prompt.slice(end);
  const isInside = /\[[^[\]]*$/.test(before) && /^[^[\]]*\]/.test(after);
  if (isInside) return (/[[,]$/.test(before) ? '' : ',') + move + (/^[\],]/.test(after) ? '' : ',');
  return `${/(^|[\s\]])$/.test(before) ? '' : ' '}[${move}]${/^($|[\s[.,;:!?])/.test(after) ? '' : ' '}`;
}
