# Prints one more piece of a packed answer; the last piece takes the files along.
#
# The words between at signs are filled in before it is sent.
echo 'regain-frame piece 0 @DIR@'
tail -c +@FROM@ '@DIR@/answer' | head -c @PIECE@
echo
echo regain-end
if [ @LAST@ = 1 ]; then rm -rf '@DIR@'; fi
