export function reportChurn(): void {}
