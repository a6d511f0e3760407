// Where a camera move goes in the words of a prompt. Moves in one bracket happen together, brackets one after the other.

/** What is written between the words before and after the caret: inside a bracket the move joins those that are there. */
export function moveText(before: string, after: string, move: string): string {
  const isInside = /\[[^[\]]*$/.test(before) && /^[^[\]]*\]/.test(after);
  if (isInside) return (/[[,]$/.test(before) ? '' : ',') + move + (/^[\],]/.test(after) ? '' : ',');
  return `${/(^|[\s\]])$/.test(before) ? '' : ' '}[${move}]${/^($|[\s[.,;:!?])/.test(after) ? '' : ' '}`;
}
