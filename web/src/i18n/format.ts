// Numbers, sizes and times as the chosen language writes them.
import { useTranslation } from 'react-i18next';

const SHORT_SPAN_SECONDS = 90;
const MEGABYTE = 1024 * 1024;

export interface Format {
  number: (value: number) => string;
  signed: (value: number) => string;
  size: (bytes: number) => string;
  date: (unixSeconds: number) => string;
  dateShort: (unixSeconds: number) => string;
  /** A day of the calendar, as "2026-12-01". */
  day: (isoDay: string) => string;
  /** "0:42": a running clock. */
  clock: (seconds: number) => string;
  /** "42 s" or "2 min": a usual duration. */
  span: (seconds: number) => string;
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  const language = i18n.language;
  return {
    number: (value) => new Intl.NumberFormat(language).format(value),
    signed: (value) => new Intl.NumberFormat(language, { signDisplay: 'exceptZero' }).format(value),
    size: (bytes) =>
      bytes < MEGABYTE
        ? new Intl.NumberFormat(language, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 }).format(
            Math.ceil(bytes / 1024),
          )
        : new Intl.NumberFormat(language, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 }).format(
            bytes / MEGABYTE,
          ),
    date: (seconds) =>
      new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(seconds * 1000),
    dateShort: (seconds) =>
      new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(
        seconds * 1000,
      ),
    day: (isoDay) =>
      new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(isoDay)),
    clock,
    span: (seconds) => {
      const isShort = seconds < SHORT_SPAN_SECONDS;
      const unit = isShort ? 'second' : 'minute';
      return new Intl.NumberFormat(language, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: 0,
      }).format(isShort ? seconds : seconds / 60);
    },
  };
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
