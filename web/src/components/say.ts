// Short messages that come and go. The library behind them is loaded after the page, or with the first message.
export const loadToasts = () => import('sonner');

export function say(text: string, look: 'plain' | 'success' | 'error' = 'plain'): void {
  void loadToasts().then(({ toast }) => {
    const show = { plain: toast, success: toast.success, error: toast.error }[look];
    show(text);
  });
}
