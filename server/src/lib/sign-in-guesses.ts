/** How many wrong passwords an account may have, wherever they are typed. @see NIST SP 800-63B-4 §3.2.2 */
export const guessesMax = { hour: 30, day: 100 };
/** So many within an hour are what nobody mistypes. */
export const guessesOfAnAttack = 10;
