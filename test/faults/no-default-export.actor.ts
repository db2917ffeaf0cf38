export const fault = (): void => {};
