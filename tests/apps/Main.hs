-- Many light threads on four capabilities, MVars, STM-like turns, parallel garbage collection, safe
-- foreign calls that block.  Results are known in advance.
import Control.Concurrent
import Control.Exception
import Control.Monad
import System.Mem
import System.Timeout

foreign import ccall safe "usleep" c_usleep :: Int -> IO Int

together :: Int -> (Int -> IO a) -> IO [a]
together n f = do
  vars <- forM [0 .. n - 1] $ \i -> do
    v <- newEmptyMVar
    _ <- forkOS (f i >>= putMVar v)
    return v
  mapM takeMVar vars

fib :: Int -> Int
fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)

main :: IO ()
main = do
  counter <- newMVar (0 :: Int)
  _ <- together 12 $ \_ -> replicateM_ 500 (modifyMVar_ counter (return . (+ 1)))
  readMVar counter >>= \n -> putStrLn ("counter " ++ show n)
  r <- together 8 $ \i -> evaluate (fib (18 + i))
  putStrLn ("computing " ++ show r)
  ring <- replicateM 200 newEmptyMVar
  forM_ (zip ring (tail ring ++ [head ring])) $ \(a, b) -> forkIO $ replicateM_ 20 (takeMVar a >>= putMVar b . (+ 1))
  putMVar (head ring) (0 :: Int)
  threadDelay 1000
  slept <- together 6 $ \i -> c_usleep (i * 3000) >> return i
  putStrLn ("safe calls " ++ show slept)
  g <- together 6 $ \i -> do
    let l = [1 .. 100000 + i] :: [Int]
    a <- evaluate (sum l)
    performMajorGC
    b <- evaluate (length l)
    return (a + b)
  putStrLn ("garbage " ++ show g)
  t <- timeout 20000 (forever (threadDelay 1000))
  putStrLn ("timeout " ++ show (t :: Maybe ()))
  k <- newEmptyMVar
  th <- forkIO (threadDelay 100000000 `catch` \e -> putMVar k (show (e :: AsyncException)))
  yield
  killThread th
  takeMVar k >>= putStrLn
