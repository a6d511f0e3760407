// The one button. A button that cannot be used stays focusable and says why: `aria-disabled`, never `disabled`.
import type { ComponentProps } from 'react';
import { Icon, type IconName } from './icon';

const LOOKS = {
  primary:
    'bg-mint text-on-mint font-semibold hover:bg-mint-lift aria-disabled:bg-raised aria-disabled:text-muted aria-disabled:hover:bg-raised',
  secondary: 'bg-raised text-text font-medium hover:bg-line aria-disabled:text-muted',
  ghost: 'text-muted font-medium hover:text-text hover:bg-raised',
  danger: 'bg-rose text-ink font-semibold hover:opacity-90',
} as const;

export const SIZES = {
  sm: 'min-h-9 px-3 text-sm rounded-lg gap-1.5',
  md: 'min-h-11 px-4 text-base rounded-xl gap-2',
  lg: 'min-h-13 px-5 text-base rounded-xl gap-2',
} as const;

export function buttonClass(look: keyof typeof LOOKS = 'secondary', size: keyof typeof SIZES = 'md'): string {
  return `inline-flex items-center justify-center whitespace-nowrap transition-colors ${SIZES[size]} ${LOOKS[look]}`;
}

type Props = Omit<ComponentProps<'button'>, 'disabled'> & {
  look?: keyof typeof LOOKS;
  size?: keyof typeof SIZES;
  icon?: IconName;
  isDisabled?: boolean;
};

export function Button({
  look,
  size,
  icon,
  isDisabled = false,
  className = '',
  type = 'button',
  onClick,
  children,
  ...rest
}: Props) {
  return (
    <button
      {...rest}
      type={type}
      aria-disabled={isDisabled || undefined}
      className={`${buttonClass(look, size)} ${className}`}
      onClick={isDisabled ? (event) => event.preventDefault() : onClick}
    >
      {icon !== undefined && <Icon name={icon} className="size-[1.15em]" />}
      {children}
    </button>
  );
}
