// The button with the price on it, and under it one line: what is left after, or why it cannot be pressed.
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { word } from '../../i18n/coded';
import { useFormat } from '../../i18n/format';
import type { Quote } from '../../api';

interface Props {
  quote: Quote | null;
  priceFromTokens: number | null;
  availableTokens: number | null;
  isBusy: boolean;
  /** Why it cannot be pressed, apart from the balance; null when it can. */
  reason: string | null;
}

export function GenerateButton({ quote, priceFromTokens, availableTokens, isBusy, reason }: Props) {
  const { t } = useTranslation();
  const { number } = useFormat();
  const lineId = useId();
  const missing = quote === null || availableTokens === null ? 0 : quote.total_tokens - availableTokens;
  const isTooDear = missing > 0;
  const obstacle = isTooDear ? t('form.missing', { count: missing, available: availableTokens ?? 0 }) : reason;
  const left = quote === null || availableTokens === null ? null : availableTokens - quote.total_tokens;
  const price =
    quote !== null
      ? t('tokens.count', { count: quote.total_tokens })
      : obstacle === null
        ? '…'
        : priceFromTokens !== null
          ? t('form.modelFrom', { count: priceFromTokens })
          : null;
  return (
    <div>
      <Button
        type="submit"
        look="primary"
        size="lg"
        // A price is there in a moment: the colour waits for it.
        className="w-full aria-disabled:delay-500"
        data-generate
        aria-describedby={lineId}
        isDisabled={isBusy || obstacle !== null || quote === null}
      >
        {isBusy ? (
          t('form.generating')
        ) : (
          <span className="nums">
            {t('form.generate')}
            {price !== null && ` · ${price}`}
          </span>
        )}
      </Button>
      <div
        id={lineId}
        aria-live="polite"
        className={`mt-2 text-center text-xs ${isTooDear ? 'font-medium text-rose' : 'text-muted'}`}
      >
        <span className="nums">
          {obstacle ??
            (quote === null ? t('form.pricing') : left === null ? '\u00a0' : t('form.after', { count: left }))}
        </span>
        {quote !== null && obstacle === null && quote.breakdown.length > 1 && (
          <span className="hidden lg:inline">
            {' · '}
            {quote.breakdown
              .map(({ code, tokens }) => `${word(t, 'breakdown', code) ?? t('breakdown.other')} ${number(tokens)}`)
              .join(' + ')}
          </span>
        )}
      </div>
    </div>
  );
}
